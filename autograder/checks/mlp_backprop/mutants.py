"""Wrong programs that students write in this assignment, and what to tell them."""

from autograder.mutation import Mutant

NUMERIC = [
    # numeric_grad
    Mutant(
        "one_sided",
        "numeric_grad",
        replace=(("x[index] = keep - h\n", "x[index] = keep\n"), ("/ (2 * h)", "/ h")),
        hint="You take the difference between x + h and x itself. Step to both sides of x; the distance is then 2h.",
        caught_by="test_numeric_grad_is_the_central_difference",
    ),
    Mutant(
        "divides_by_h",
        "numeric_grad",
        replace=(("/ (2 * h)", "/ h"),),
        hint="The two points lie 2h apart, not h: every slope comes out twice too large.",
        caught_by="test_numeric_grad_is_the_central_difference",
    ),
    Mutant(
        "sides_swapped",
        "numeric_grad",
        replace=(("above - below", "below - above"),),
        hint="The sign is the other way round: take the value above minus the value below.",
        caught_by="test_numeric_grad_is_the_central_difference",
    ),
    Mutant(
        "ignores_h",
        "numeric_grad",
        replace=(("x = np.array(x, dtype=np.float64)", "x = np.array(x, dtype=np.float64)\n    h = 1e-5"),),
        hint="The step that the caller gives is not used.",
        caught_by="test_numeric_grad_is_the_central_difference",
    ),
    Mutant(
        "moves_everything",
        "numeric_grad",
        replace=(
            ("above = f(x)", "above = f(x0 + h)"),
            ("below = f(x)", "below = f(x0 - h)"),
            ("gradient = np.zeros_like(x)", "gradient = np.zeros_like(x)\n    x0 = x.copy()"),
        ),
        hint="You add h to the whole array. Only one entry may move at a time, all others stay where they are.",
        caught_by="test_numeric_grad_moves_one_entry_at_a_time",
    ),
    Mutant(
        "entries_not_put_back",
        "numeric_grad",
        replace=(("        x[index] = keep\n", ""),),
        hint="After its turn an entry stays at x - h. Put it back before the next entry moves.",
        caught_by="test_numeric_grad_moves_one_entry_at_a_time",
    ),
    Mutant(
        "callers_x_moved",
        "numeric_grad",
        replace=(
            ("x = np.array(x, dtype=np.float64)", "start, x = x.copy(), np.asarray(x, dtype=np.float64)"),
            ("    return gradient", "    x -= h\n    return gradient"),
        ),
        hint="The caller's x is not what it was before the call. Put every entry back, or work on a copy.",
        caught_by="test_numeric_grad_restores_x",
    ),
    Mutant(
        "float32_probes",
        "numeric_grad",
        replace=(("x = np.array(x, dtype=np.float64)", "x = np.array(x, dtype=np.float32)"),),
        hint="In float32 a step of 1e-5 is lost in rounding (7 digits). Keep the probes in float64.",
        caught_by="test_numeric_grad_moves_one_entry_at_a_time",
    ),
    Mutant(
        "step_too_small",
        "numeric_grad",
        replace=(("x = np.array(x, dtype=np.float64)", "x = np.array(x, dtype=np.float64)\n    h = min(h, 1e-11)"),),
        hint="Your step is so small that rounding eats the difference; use the h you are given.",
        caught_by="test_numeric_grad_moves_one_entry_at_a_time",
    ),
    Mutant(
        "flat_result",
        "numeric_grad",
        replace=(("    return gradient", "    return gradient.reshape(-1)"),),
        hint="The gradient comes back as one long row. It has the shape of x.",
        caught_by="test_numeric_grad_is_the_central_difference",
    ),
]

FORMULA = "np.max(np.abs(n - g) / np.maximum(1e-8, np.abs(n) + np.abs(g)))"

CHECKER = [
    # grad_check
    Mutant(
        "absolute_error",
        "grad_check",
        replace=((FORMULA, "np.max(np.abs(n - g))"),),
        hint="You report the difference itself. Divide it, entry by entry, by the size of the two slopes.",
        caught_by="test_grad_check_is_relative",
    ),
    Mutant(
        "no_floor",
        "grad_check",
        replace=(("np.maximum(1e-8, np.abs(n) + np.abs(g))", "(np.abs(n) + np.abs(g))"),),
        hint="Where both slopes are 0 you divide 0 by 0. The 1e-8 in the formula is there for this case.",
        caught_by="test_grad_check_accepts_right_gradients",
    ),
    Mutant(
        "floor_too_high",
        "grad_check",
        replace=(("np.maximum(1e-8,", "np.maximum(1e2,"),),
        hint="The number that keeps 0/0 away is so large that it hides the errors of ordinary slopes; it is 1e-8.",
        caught_by="test_grad_check_is_relative",
    ),
    Mutant(
        "mean_error",
        "grad_check",
        replace=(("np.max(np.abs(n - g)", "np.mean(np.abs(n - g)"),),
        hint="You average over the entries: one wrong entry among many drowns. Report the worst entry.",
        caught_by="test_grad_check_sees_one_wrong_entry",
    ),
    Mutant(
        "ratio_of_norms",
        "grad_check",
        replace=((FORMULA, "np.linalg.norm(n - g) / max(1e-8, np.linalg.norm(n) + np.linalg.norm(g))"),),
        hint="You compare lengths of whole vectors: a small wrong entry disappears beside large right ones. "
        "Divide entry by entry and take the largest quotient.",
        caught_by="test_grad_check_sees_one_wrong_entry",
    ),
    Mutant(
        "largest_over_largest",
        "grad_check",
        replace=((FORMULA, "np.max(np.abs(n - g)) / max(1e-8, np.max(np.abs(n) + np.abs(g)))"),),
        hint="You divide the largest difference by the largest slope. Divide entry by entry first, then take the "
        "largest quotient.",
        caught_by="test_grad_check_sees_one_wrong_entry",
    ),
    Mutant(
        "sum_of_quotients",
        "grad_check",
        replace=(("np.max(np.abs(n - g)", "np.sum(np.abs(n - g)"),),
        hint="You add the errors of all entries. Report the largest one.",
        caught_by="test_grad_check_returns_the_stated_error",
    ),
    Mutant(
        "sign_forgotten",
        "grad_check",
        replace=(("np.max(np.abs(n - g)", "np.max(np.abs(np.abs(n) - np.abs(g))"),),
        hint="A gradient of the wrong sign passes: subtract first, then take the absolute value.",
        caught_by="test_grad_check_flags_planted_mistakes",
    ),
    Mutant(
        "no_absolute_value",
        "grad_check",
        replace=(("np.max(np.abs(n - g)", "np.max((n - g)"),),
        hint="Without the absolute value, a gradient that is too large gives a negative error and passes.",
        caught_by="test_grad_check_flags_planted_mistakes",
    ),
    Mutant(
        "always_accepts",
        "grad_check",
        replace=(("n = numeric_grad(f, x)", "n = g"),),
        hint="Your checker compares the gradient with itself: it accepts everything. Measure the slopes of f.",
        caught_by="test_grad_check_flags_planted_mistakes",
    ),
    Mutant(
        "divides_by_measured_only",
        "grad_check",
        replace=(("np.abs(n) + np.abs(g))", "np.abs(n))"),),
        hint="You divide by the measured slope alone; the formula has |n| + |g|.",
        caught_by="test_grad_check_returns_the_stated_error",
    ),
    Mutant(
        "steps_over_nan",
        "grad_check",
        replace=(("np.max(np.abs(n - g)", "np.nanmax(np.abs(n - g)"),),
        hint="Entries with NaN are left out of the maximum, so a gradient with NaN passes. Return nan or inf then.",
        caught_by="test_grad_check_refuses_nan",
    ),
    Mutant(
        "loop_keeps_larger",
        "grad_check",
        replace=(
            (
                "    return float(" + FORMULA + ")",
                "    worst = 0.0\n    for i in np.ndindex(x.shape):\n"
                "        worst = max(worst, abs(n[i] - g[i]) / max(1e-8, abs(n[i]) + abs(g[i])))\n    return worst",
            ),
        ),
        hint="max(0.0, nan) is 0.0 in Python: your loop steps over NaN, and a gradient with NaN passes.",
        caught_by="test_grad_check_refuses_nan",
        also=("steps_over_nan",),
    ),
    Mutant(
        "stretches_shapes",
        "grad_check",
        replace=(("    if g.shape != x.shape:\n        return np.inf\n", ""),),
        hint="numpy stretches a gradient of another shape until it fits. Compare the shapes and return inf.",
        caught_by="test_grad_check_refuses_another_shape",
    ),
    Mutant(
        "compares_sizes_only",
        "grad_check",
        replace=(
            (
                "    if g.shape != x.shape:\n",
                "    g = g.reshape(x.shape) if g.size == x.size else g\n    if g.size != x.size:\n",
            ),
        ),
        hint="You compare the number of entries, not the shapes: a flattened gradient passes.",
        caught_by="test_grad_check_refuses_another_shape",
    ),
]

ACTIVATIONS = [
    # activation_backward
    Mutant(
        "relu_mask_from_da",
        "activation_backward",
        replace=(
            (
                '    if kind == "relu":\n        slope = np.where(z > 0, 1.0, 0.0)',
                '    if kind == "relu":\n        slope = np.where(da > 0, 1.0, 0.0)',
            ),
        ),
        hint="Your ReLU lets the gradient pass where da is positive. Its slope depends on its input z.",
        caught_by="test_activation_backward_matches_torch",
        also=("mask_from_dout",),
    ),
    Mutant(
        "relu_without_mask",
        "activation_backward",
        replace=(("slope = np.where(z > 0, 1.0, 0.0)", "slope = 1.0"),),
        hint="The gradient passes through ReLUs that are off. Where z is negative, the slope is 0.",
        caught_by="test_activation_backward_matches_torch",
        also=("no_mask",),
    ),
    Mutant(
        "slope_times_z",
        "activation_backward",
        replace=(("slope = np.where(z > 0, 1.0, 0.0)", "slope = np.maximum(z, 0.0)"),),
        hint="You multiply da by relu(z). Multiply by the slope of the ReLU at z, which is 0 or 1.",
        caught_by="test_activation_backward_matches_torch",
    ),
    Mutant(
        "leaky_sides_swapped",
        "activation_backward",
        replace=(("np.where(z > 0, 1.0, SLOPE)", "np.where(z > 0, SLOPE, 1.0)"),),
        hint="The small slope of the leaky ReLU is on the wrong side; it belongs to z < 0.",
        caught_by="test_activation_backward_matches_torch",
    ),
    Mutant(
        "leaky_slope_zero",
        "activation_backward",
        replace=(("np.where(z > 0, 1.0, SLOPE)", "np.where(z > 0, 1.0, 0.0)"),),
        hint="Below 0 the leaky ReLU still has the slope 0.1.",
        caught_by="test_activation_backward_matches_torch",
    ),
    Mutant(
        "leaky_negates",
        "activation_backward",
        replace=(("np.where(z > 0, z, SLOPE * z)", "np.where(z > 0, z, -SLOPE * z)"),),
        hint="Below 0 the leaky ReLU is 0.1 z, which is negative.",
        caught_by="test_activation_forward_matches_torch",
    ),
    Mutant(
        "leaky_slope_001",
        "activation_backward",
        replace=(
            ("np.where(z > 0, z, SLOPE * z)", "np.where(z > 0, z, 0.01 * z)"),
            ("np.where(z > 0, 1.0, SLOPE)", "np.where(z > 0, 1.0, 0.01)"),
        ),
        hint="Your leaky ReLU has the slope 0.01 below 0; in this notebook it is 0.1.",
        caught_by="test_activation_forward_matches_torch",
    ),
    Mutant(
        "tanh_slope_from_z",
        "activation_backward",
        replace=(("slope = 1 - np.tanh(z) ** 2", "slope = 1 - z**2"),),
        hint="The slope of tanh is 1 minus the square of tanh(z), not of z.",
        caught_by="test_activation_backward_matches_torch",
    ),
    Mutant(
        "tanh_square_forgotten",
        "activation_backward",
        replace=(("slope = 1 - np.tanh(z) ** 2", "slope = 1 - np.tanh(z)"),),
        hint="The slope of tanh is 1 minus the SQUARE of tanh(z).",
        caught_by="test_activation_backward_matches_torch",
    ),
    Mutant(
        "sigmoid_slope_from_z",
        "activation_backward",
        replace=(("slope = s * (1 - s)", "slope = z * (1 - z)"),),
        hint="The slope of the sigmoid is s (1 - s) with s = sigmoid(z), not with z itself.",
        caught_by="test_activation_backward_matches_torch",
    ),
    Mutant(
        "sigmoid_overflows",
        "activation_backward",
        replace=(("return 0.5 * (1 + np.tanh(0.5 * z))", "return np.exp(z) / (1 + np.exp(z))"),),
        hint="For large z your sigmoid is infinity divided by infinity, NaN. Choose a form whose exponential "
        "does not overflow.",
        caught_by="test_activations_stay_finite_far_out",
    ),
    Mutant(
        "forgets_da",
        "activation_backward",
        replace=(("    return da * slope", "    return slope * np.ones_like(z)"),),
        hint="You return the slope alone. The chain rule multiplies it by da.",
        caught_by="test_activation_backward_matches_torch",
    ),
]

AFFINE = [
    # affine_backward
    Mutant(
        "db_is_a_mean",
        "affine_backward",
        replace=(("dout.sum(axis=0)", "dout.mean(axis=0)"),),
        hint="db is averaged over the examples. It is their sum; the 1/N of the loss is already inside dout.",
        caught_by="test_affine_backward_matches_torch",
    ),
    Mutant(
        "dW_divided_by_N",
        "affine_backward",
        replace=(("dW = flat.T @ dout", "dW = flat.T @ dout / len(x)"),),
        hint="dW is divided by N. It is a sum over the examples; the 1/N of the loss is already inside dout.",
        caught_by="test_affine_backward_matches_torch",
    ),
    Mutant(
        "all_divided_by_N",
        "affine_backward",
        replace=(("dW = flat.T @ dout", "dW = flat.T @ dout / len(x)"), ("dout.sum(axis=0)", "dout.mean(axis=0)")),
        hint="dW and db are divided by N. The 1/N of the loss is already inside dout; a layer only adds up.",
        caught_by="test_affine_backward_adds_over_examples",
        also=("divided_by_N_again",),
    ),
    Mutant(
        "db_one_number",
        "affine_backward",
        replace=(("dout.sum(axis=0)", "dout.sum()"),),
        hint="db is one number. Each output m has a bias of its own: add up over the examples only.",
        caught_by="test_affine_backward_matches_torch",
    ),
    Mutant(
        "db_keeps_axis",
        "affine_backward",
        replace=(("dout.sum(axis=0)", "dout.sum(axis=0, keepdims=True)"),),
        hint="db has the shape (1, M). It has the shape of b, (M,).",
        caught_by="test_affine_backward_matches_torch",
    ),
    Mutant(
        "dW_transposed",
        "affine_backward",
        replace=(("dW = flat.T @ dout", "dW = dout.T @ flat"),),
        hint="dW comes out as (M, D), the transpose. W has the shape (D, M), and so has dW.",
        caught_by="test_affine_backward_matches_torch",
    ),
    Mutant(
        "dx_not_reshaped",
        "affine_backward",
        replace=(("(dout @ W.T).reshape(x.shape)", "dout @ W.T"),),
        hint="For images dx comes back as rows. Give it the shape that x had.",
        caught_by="test_affine_layer_reads_images_as_rows",
    ),
    Mutant(
        "images_not_flattened",
        "affine_backward",
        replace=(
            ("    flat = x.reshape(len(x), -1)\n    return flat @ W + b, (x, W)", "    return x @ W + b, (x, W)"),
        ),
        hint="Images reach the product with W unflattened. Read each example as one row of D numbers first.",
        caught_by="test_affine_layer_reads_images_as_rows",
    ),
    Mutant(
        "flattens_columns_first",
        "affine_backward",
        replace=(
            (
                "    flat = x.reshape(len(x), -1)\n    return flat",
                "    flat = x.reshape(len(x), -1, order='F')\n    return flat",
            ),
            (
                "    flat = x.reshape(len(x), -1)\n    dx = (dout @ W.T).reshape(x.shape)",
                "    flat = x.reshape(len(x), -1, order='F')\n    dx = (dout @ W.T).reshape(x.shape, order='F')",
            ),
        ),
        hint="You read the pixels of an image in another order than numpy's usual one (last axis fastest).",
        caught_by="test_affine_layer_reads_images_as_rows",
    ),
    Mutant(
        "no_bias",
        "affine_backward",
        replace=(("return flat @ W + b, (x, W)", "return flat @ W, (x, W)"),),
        hint="The bias b is not added.",
        caught_by="test_affine_forward_is_xw_plus_b",
    ),
    Mutant(
        "shared_affine_cache",
        "affine_backward",
        replace=(
            ("    return flat @ W + b, (x, W)", "    AFFINE_CACHE[:] = [x, W]\n    return flat @ W + b, AFFINE_CACHE"),
            ("def affine_forward", "AFFINE_CACHE = []\n\n\ndef affine_forward"),
        ),
        hint="All calls write into one and the same cache, so a second forward pass overwrites the first. "
        "Make a new cache in each call.",
        caught_by="test_affine_caches_are_independent",
    ),
    Mutant(
        "updates_before_dx",
        "affine_backward",
        replace=(
            (
                "    dx = (dout @ W.T).reshape(x.shape)\n    dW = flat.T @ dout\n",
                "    dW = flat.T @ dout\n    W = W - 0.1 * dW\n    dx = (dout @ W.T).reshape(x.shape)\n",
            ),
        ),
        hint="The weights are updated before dx is computed. Compute all gradients with the weights of the forward pass.",
        caught_by="test_affine_backward_matches_torch",
    ),
    Mutant(
        "x_is_first_example",
        "affine_backward",
        replace=(("dW = flat.T @ dout", "dW = np.outer(flat[0], dout[0])"),),
        hint="dW uses one example only. Add up what all N examples give.",
        caught_by="test_affine_backward_matches_torch",
    ),
]

LOSS = [
    # softmax_ce
    Mutant(
        "loss_is_a_sum",
        "softmax_ce",
        replace=(("log_p[rows, y].mean()", "log_p[rows, y].sum()"),),
        hint="The loss is summed over the batch. It is the mean.",
        caught_by="test_loss_matches_torch",
    ),
    Mutant(
        "sum_everywhere",
        "softmax_ce",
        replace=(("log_p[rows, y].mean()", "log_p[rows, y].sum()"), ("dlogits / len(y)", "dlogits")),
        hint="Loss and gradient are summed over the batch. Both belong to the mean: divide by N.",
        caught_by="test_loss_is_a_mean",
    ),
    Mutant(
        "gradient_without_1_over_N",
        "softmax_ce",
        replace=(("dlogits / len(y)", "dlogits"),),
        hint="The loss is a mean, so its gradient has a factor 1/N; yours does not.",
        caught_by="test_dlogits_match_torch",
    ),
    Mutant(
        "gradient_1_over_N_twice",
        "softmax_ce",
        replace=(("dlogits / len(y)", "dlogits / len(y) ** 2"),),
        hint="The gradient is divided by N twice. The mean gives the factor 1/N once.",
        caught_by="test_dlogits_match_torch",
    ),
    Mutant(
        "divided_by_entries",
        "softmax_ce",
        replace=(("dlogits / len(y)", "dlogits / logits.size"),),
        hint="The gradient is divided by the number of all logits, N times C. The mean is over the N examples.",
        caught_by="test_dlogits_match_torch",
    ),
    Mutant(
        "p_not_minus_one",
        "softmax_ce",
        replace=(("    dlogits[rows, y] -= 1\n", ""),),
        hint="The gradient is the probability alone. At the right class, subtract 1.",
        caught_by="test_dlogits_match_torch",
    ),
    Mutant(
        "minus_one_everywhere",
        "softmax_ce",
        replace=(("dlogits[rows, y] -= 1", "dlogits[:, y] -= 1"),),
        hint="Your index takes whole columns: 1 is subtracted in every row at all those classes. Pair each row "
        "with its own class.",
        caught_by="test_dlogits_match_torch",
    ),
    Mutant(
        "gradient_sign",
        "softmax_ce",
        replace=(("return loss, dlogits / len(y)", "return loss, -dlogits / len(y)"),),
        hint="The gradient points the wrong way: it is p minus the 1 of the right class, not the other way round.",
        caught_by="test_dlogits_match_torch",
    ),
    Mutant(
        "loss_sign",
        "softmax_ce",
        replace=(("loss = -log_p", "loss = log_p"),),
        hint="The loss is minus the logarithm of the probability, so it is never negative.",
        caught_by="test_loss_matches_torch",
    ),
    Mutant(
        "softmax_over_batch",
        "softmax_ce",
        replace=(
            ("logits.max(axis=1, keepdims=True)", "logits.max(axis=0, keepdims=True)"),
            ("np.exp(shifted).sum(axis=1, keepdims=True)", "np.exp(shifted).sum(axis=0, keepdims=True)"),
        ),
        hint="You normalise over the examples. The probabilities of each row (one example) add up to 1.",
        caught_by="test_loss_matches_torch",
    ),
    Mutant(
        "no_shift",
        "softmax_ce",
        replace=(("logits - logits.max(axis=1, keepdims=True)", "logits"),),
        hint="The exponential of a large logit overflows. Subtract the largest logit of each row first.",
        caught_by="test_large_logits_are_exact",
    ),
    Mutant(
        "one_shift_for_all_rows",
        "softmax_ce",
        replace=(("logits.max(axis=1, keepdims=True)", "logits.max()"),),
        hint="You subtract the largest logit of the whole batch. In a row whose logits are all far below it, every "
        "exponential becomes 0. Each row needs its own largest logit.",
        caught_by="test_large_logits_are_exact",
    ),
    Mutant(
        "log_of_rounded_p",
        "softmax_ce",
        replace=(("    loss = -log_p", "    log_p = np.log(np.exp(log_p))\n    loss = -log_p"),),
        hint="You take the logarithm of a probability that has rounded to 0. Compute ln p as logit minus the "
        "logarithm of the sum.",
        caught_by="test_large_logits_are_exact",
    ),
    Mutant(
        "small_constant_in_log",
        "softmax_ce",
        replace=(("    loss = -log_p[rows, y].mean()", "    loss = -np.log(np.exp(log_p[rows, y]) + 1e-12).mean()"),),
        hint="A small constant inside the logarithm limits the loss to about 27. Compute ln p as logit minus the "
        "logarithm of the sum.",
        caught_by="test_large_logits_are_exact",
    ),
    Mutant(
        "log_base_2",
        "softmax_ce",
        replace=(("loss = -log_p[rows, y].mean()", "loss = -log_p[rows, y].mean() / np.log(2)"),),
        hint="The loss uses another logarithm than the natural one.",
        caught_by="test_loss_matches_torch",
    ),
    Mutant(
        "log_p_of_gradient",
        "softmax_ce",
        replace=(("dlogits = np.exp(log_p)", "dlogits = log_p.copy()"),),
        hint="Your gradient holds ln p minus 1; it needs the probability p itself.",
        caught_by="test_dlogits_match_torch",
    ),
]

FORWARD = [
    # mlp_forward
    Mutant(
        "relu_on_logits",
        "mlp_forward",
        replace=(('x = z if last else activation_forward(z, "relu")', 'x = activation_forward(z, "relu")'),),
        hint="The last layer goes through a ReLU too. Logits may be negative: no activation after the last layer.",
        caught_by="test_logits_follow_the_definition",
    ),
    Mutant(
        "no_relu",
        "mlp_forward",
        replace=(('x = z if last else activation_forward(z, "relu")', "x = z"),),
        hint="There is no ReLU between the layers, so the whole network is one straight line.",
        caught_by="test_logits_follow_the_definition",
    ),
    Mutant(
        "relu_on_first_only",
        "mlp_forward",
        replace=(("last = i == len(params) - 1", "last = i > 0 or len(params) == 1"),),
        hint="Only the first layer is followed by a ReLU. Every layer except the last is.",
        caught_by="test_logits_follow_the_definition",
    ),
    Mutant(
        "one_layer_short",
        "mlp_forward",
        replace=(("last = i == len(params) - 1", "last = i >= len(params) - 2"),),
        hint="The layer before the last one has no ReLU. Check where your loop stops.",
        caught_by="test_logits_follow_the_definition",
    ),
    Mutant(
        "tanh_hidden",
        "mlp_forward",
        replace=(('activation_forward(z, "relu")', 'activation_forward(z, "tanh")'),),
        hint="The hidden layers use another activation than the ReLU.",
        caught_by="test_logits_follow_the_definition",
    ),
]

BACKWARD = [
    # mlp_backward
    Mutant(
        "no_mask",
        "mlp_backward",
        replace=(('            dout = activation_backward(dout, z, "relu")', "            pass"),),
        hint="On the way back the gradient passes through ReLUs that were off. Where z was negative it must become 0.",
        caught_by="test_gradients_match_torch",
    ),
    Mutant(
        "mask_from_dout",
        "mlp_backward",
        replace=(('activation_backward(dout, z, "relu")', "np.maximum(dout, 0)"),),
        hint="You cut off negative gradients. The ReLU's slope depends on its input z in the forward pass, "
        "not on the sign of the gradient.",
        caught_by="test_gradients_match_torch",
    ),
    Mutant(
        "mask_on_last_layer",
        "mlp_backward",
        replace=(("if i < len(caches) - 1:", "if True:"),),
        hint="dlogits is masked as if the last layer had a ReLU. It has none.",
        caught_by="test_gradients_match_torch",
    ),
    Mutant(
        "mask_of_next_layer_missing",
        "mlp_backward",
        replace=(("if i < len(caches) - 1:", "if i < len(caches) - 2:"),),
        hint="The ReLU before the last layer is skipped on the way back. Check the condition at both ends.",
        caught_by="test_gradients_match_torch",
    ),
    Mutant(
        "first_mask_missing",
        "mlp_backward",
        replace=(("if i < len(caches) - 1:", "if 0 < i < len(caches) - 1 or len(caches) == 2 and i == 0:"),),
        hint="In networks with three or more layers the ReLU of the first layer is skipped on the way back.",
        caught_by="test_gradients_match_torch",
    ),
    Mutant(
        "last_layer_first",
        "mlp_backward",
        replace=(("return grads[::-1]", "return grads"),),
        hint="The gradients come last layer first. Return them in the order of params.",
        caught_by="test_gradients_match_torch",
    ),
    Mutant(
        "divided_by_N_again",
        "mlp_backward",
        replace=(("dout = dlogits", "dout = dlogits / len(dlogits)"),),
        hint="The gradients are divided by N. The 1/N of the mean is already inside dlogits.",
        caught_by="test_gradients_match_torch",
    ),
    Mutant(
        "divided_by_N_in_each_layer",
        "mlp_backward",
        replace=(
            ("grads.append((dW, db))", "dW, db = dW / len(dlogits), db / len(dlogits)\n        grads.append((dW, db))"),
        ),
        hint="Each layer divides dW and db by N. The 1/N of the mean is already inside dlogits.",
        caught_by="test_gradients_match_torch",
        also=("divided_by_N_again",),
    ),
    Mutant(
        "db_missing_examples",
        "mlp_backward",
        replace=(("grads.append((dW, db))", "grads.append((dW, dout[0, 0] + 0 * db))"),),
        hint="db holds the gradient of something else than the bias. It is what affine_backward returns third.",
        caught_by="test_gradients_match_measured_slopes",
    ),
    Mutant(
        "gradient_not_passed_on",
        "mlp_backward",
        replace=(
            ("dout, dW, db = affine_backward(dout, cache)", "_, dW, db = affine_backward(dout, cache)"),
            (
                '            dout = activation_backward(dout, z, "relu")',
                '            dout = activation_backward(np.resize(dout, z.shape), z, "relu")',
            ),
        ),
        hint="The gradient with respect to a layer's input is not handed to the layer before it.",
        caught_by="test_gradients_match_torch",
    ),
    Mutant(
        "one_mask_for_the_batch",
        "mlp_backward",
        replace=(('activation_backward(dout, z, "relu")', "dout * (z.sum(axis=0) > 0)"),),
        hint="One decision on or off is made for the whole batch. Each example has its own mask.",
        caught_by="test_backward_is_linear_and_adds_over_examples",
    ),
    Mutant(
        "clips_gradients",
        "mlp_backward",
        replace=(
            (
                "dout, dW, db = affine_backward(dout, cache)",
                "dout, dW, db = affine_backward(np.clip(dout, -1, 1), cache)",
            ),
        ),
        hint="Large gradients are cut off. mlp_backward returns the gradient as it is.",
        caught_by="test_backward_is_linear_and_adds_over_examples",
    ),
    Mutant(
        "uses_up_the_caches",
        "mlp_backward",
        replace=(
            (
                "    for i in reversed(range(len(caches))):\n        cache, z = caches[i]\n        if i < len(caches) - 1:",
                "    depth = len(caches)\n    while caches:\n        cache, z = caches.pop()\n"
                "        if len(caches) < depth - 1:",
            ),
        ),
        hint="mlp_backward takes the entries out of caches, so a second call finds nothing. Read them without removing.",
        caught_by="test_backward_can_be_called_twice",
    ),
    Mutant(
        "remembers_the_last_pass",
        "mlp_backward",
        code="""
LAST = {}
_forward_without_memory = mlp_forward


def mlp_forward(x, params):
    logits, caches = _forward_without_memory(x, params)
    LAST["caches"] = caches
    return logits, caches


def mlp_backward(dlogits, caches):
    caches = LAST["caches"]
    grads = []
    dout = dlogits
    for i in reversed(range(len(caches))):
        cache, z = caches[i]
        if i < len(caches) - 1:
            dout = activation_backward(dout, z, "relu")
        dout, dW, db = affine_backward(dout, cache)
        grads.append((dW, db))
    return grads[::-1]
""",
        hint="mlp_backward uses what the latest forward pass left in a global variable. Use the caches it is given.",
        caught_by="test_caches_of_two_batches_are_independent",
    ),
]

VALUE = [
    # Value
    Mutant(
        "grad_overwritten",
        "Value",
        replace=(("parent.grad += slope * node.grad", "parent.grad = slope * node.grad"),),
        hint="A value that is used twice keeps only its last share. Add the shares up.",
        caught_by="test_values_used_twice_add_up",
    ),
    Mutant(
        "no_topological_order",
        "Value",
        replace=(
            (
                "        visit(self)\n        self.grad = 1.0\n        for node in reversed(order):\n"
                "            for parent, slope in node.parents:\n                parent.grad += slope * node.grad",
                "        def push(node):\n            for parent, slope in node.parents:\n"
                "                parent.grad += slope * node.grad\n                push(parent)\n\n"
                "        self.grad = 1.0\n        push(self)",
            ),
        ),
        hint="A value passes on its gradient each time it gets a share, so earlier shares travel twice. "
        "Pass it on once, when all users have answered.",
        caught_by="test_every_value_waits_for_all_its_users",
    ),
    Mutant(
        "nearest_first",
        "Value",
        replace=(
            (
                "        visit(self)\n        self.grad = 1.0\n        for node in reversed(order):",
                "        queue = [self]\n        while queue:\n            node = queue.pop(0)\n"
                "            if id(node) not in seen:\n                seen.add(id(node))\n"
                "                order.append(node)\n                queue += [p for p, _ in node.parents]\n"
                "        self.grad = 1.0\n        for node in order:",
            ),
        ),
        hint="You go through the values by their distance from the result. A value that is used near AND far passes "
        "its gradient on before the far use has answered. List a value after all its parents, then go from the end.",
        caught_by="test_every_value_waits_for_all_its_users",
    ),
    Mutant(
        "order_not_reversed",
        "Value",
        replace=(("for node in reversed(order):", "for node in order:"),),
        hint="You go through the list from the inputs to the result. Start at the result: go through it from its end.",
        caught_by="test_values_used_once",
    ),
    Mutant(
        "result_grad_not_one",
        "Value",
        replace=(("        self.grad = 1.0\n", ""),),
        hint="backward() must begin by setting the grad of the result itself to 1; otherwise all stay 0.",
        caught_by="test_values_used_once",
    ),
    Mutant(
        "product_slopes_swapped",
        "Value",
        replace=(("((self, other.data), (other, self.data))", "((self, self.data), (other, other.data))"),),
        hint="In a * b the slope with respect to a is b, and with respect to b it is a; yours are swapped.",
        caught_by="test_values_used_once",
    ),
    Mutant(
        "tanh_slope",
        "Value",
        replace=(("1 - t**2", "1 - self.data**2"),),
        hint="The slope of tanh is 1 minus the square of its OUTPUT.",
        caught_by="test_values_used_once",
    ),
    Mutant(
        "one_parent_only",
        "Value",
        replace=(("((self, 1.0), (other, 1.0))", "((self, 1.0),)"),),
        hint="In a sum only the left value gets a gradient. Both have the slope 1.",
        caught_by="test_values_used_once",
    ),
    Mutant(
        "parents_as_a_dict",
        "Value",
        replace=(("((self, other.data), (other, self.data))", "tuple({self: other.data, other: self.data}.items())"),),
        hint="In a * a both factors are the same Value, and a dict (or set) of parents keeps it once. "
        "It must get both shares.",
        caught_by="test_values_used_twice_add_up",
    ),
    Mutant(
        "no_number_on_the_left",
        "Value",
        replace=(("    __radd__ = __add__\n    __rmul__ = __mul__\n", ""),),
        hint="2 * a fails: with a number on the left Python asks __rmul__ (and __radd__) of the Value on the right.",
        caught_by="test_operations_compute_their_numbers",
    ),
    Mutant(
        "numbers_not_wrapped",
        "Value",
        replace=(
            (
                "    def __mul__(self, other):\n        other = other if isinstance(other, Value) else Value(other)\n",
                "    def __mul__(self, other):\n",
            ),
        ),
        hint="a * 2 fails: a plain number has no .data. Make a Value of it first.",
        caught_by="test_operations_compute_their_numbers",
    ),
    Mutant(
        "one_tape_for_all",
        "Value",
        replace=(
            (
                "    def __init__(self, data, parents=()):",
                "    tape = []\n\n    def __init__(self, data, parents=()):\n        Value.tape.append(self)",
            ),
            (
                "        visit(self)\n        self.grad = 1.0\n        for node in reversed(order):",
                "        self.grad = 1.0\n        for node in reversed(Value.tape):",
            ),
        ),
        hint="All expressions share one list, so a second backward() sends the first one's gradients again. "
        "Collect the values that THIS result was made from.",
        caught_by="test_expressions_do_not_share_gradients",
    ),
    Mutant(
        "only_two_generations",
        "Value",
        replace=(("        for node in reversed(order):", "        for node in list(reversed(order))[:12]:"),),
        hint="In longer expressions the first values get no gradient. Go through the whole list.",
        caught_by="test_a_neuron_of_values",
    ),
]

MUTANTS = [*NUMERIC, *CHECKER, *ACTIVATIONS, *AFFINE, *LOSS, *FORWARD, *BACKWARD, *VALUE]
