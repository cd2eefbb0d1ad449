"""Wrong programs that students write, each with the sentence they should read."""

from autograder.mutation import Mutant

RNN, STEP, BACK, SEQ, TIME, GRU, CLIP = ("rnn_step_forward", "lstm_step_forward", "lstm_step_backward", "lstm_forward",
                                         "lstm_backward", "gru_step_forward", "clip_grads")  # fmt: skip
PLAIN, FORWARD = "test_plain_step_agrees_with_torch", "test_lstm_step_agrees_with_torch"
STEPS, THROUGH = "test_step_gradients_agree_with_torch", "test_gradients_through_time_agree_with_torch"
GATES = "i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(a[:, 3 * H :])\n    g = np.tanh(a[:, 2 * H : 3 * H])"
FIRST, SECOND, THIRD, LAST = "a[:, :H]", "a[:, H : 2 * H]", "a[:, 2 * H : 3 * H]", "a[:, 3 * H :]"


def order(i, f, g, o):
    """Return the gates' lines with blocks at these places."""
    block = (FIRST, SECOND, THIRD, LAST)
    return (
        (
            GATES,
            f"i, f, o = sigmoid({block[i]}), sigmoid({block[f]}), sigmoid({block[o]})\n    g = np.tanh({block[g]})",
        ),
    )


MUTANTS = [
    # rnn_step_forward
    Mutant(
        "plain_ignores_state", RNN, ((" + h @ Wh", ""),), hint="The old state is missing in the sum.", caught_by=PLAIN
    ),
    Mutant("plain_no_bias", RNN, ((" + b)", ")"),), hint="The bias is missing in the plain step.", caught_by=PLAIN),
    Mutant(
        "plain_sigmoid",
        RNN,
        (("np.tanh(", "sigmoid("),),
        hint="The plain step squashes with tanh, not with the sigmoid.",
        caught_by=PLAIN,
    ),
    Mutant(
        "plain_no_squash",
        RNN,
        (("np.tanh(x @ Wx + h @ Wh + b)", "x @ Wx + h @ Wh + b"),),
        hint="The plain step leaves tanh out.",
        caught_by=PLAIN,
    ),
    Mutant(
        "plain_state_after_tanh",
        RNN,
        (("np.tanh(x @ Wx + h @ Wh + b)", "np.tanh(x @ Wx + b) + h @ Wh"),),
        hint="The old state is added outside tanh; it belongs inside.",
        caught_by=PLAIN,
    ),
    Mutant(
        "plain_transposed",
        RNN,
        (("h @ Wh", "h @ Wh.T"),),
        hint="The state meets Wh, not its transpose.",
        caught_by=PLAIN,
    ),
    # lstm_step_forward
    Mutant(
        "order_ifog",
        STEP,
        order(0, 1, 3, 2),
        hint="Your blocks are in the order i, f, o, g; here it is i, f, g, o.",
        caught_by=FORWARD,
    ),
    Mutant(
        "order_figo",
        STEP,
        order(1, 0, 2, 3),
        hint="Your blocks are in the order f, i, g, o; here it is i, f, g, o.",
        caught_by=FORWARD,
    ),
    Mutant(
        "order_figo_swapped",
        STEP,
        order(1, 0, 3, 2),
        hint="Your blocks are in the order f, i, o, g; here it is i, f, g, o.",
        caught_by=FORWARD,
    ),
    Mutant(
        "order_igfo",
        STEP,
        order(0, 2, 1, 3),
        hint="Your blocks are in the order i, g, f, o; here it is i, f, g, o.",
        caught_by=FORWARD,
    ),
    Mutant(
        "order_gifo",
        STEP,
        order(1, 2, 0, 3),
        hint="Your blocks are in the order g, i, f, o; here it is i, f, g, o.",
        caught_by=FORWARD,
    ),
    Mutant(
        "gates_interleaved",
        STEP,
        (
            (
                GATES,
                "i, f, g, o = (a[:, k::4] for k in range(4))\n    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)",
            ),
        ),
        hint="You take every fourth column; each gate has H neighbouring columns.",
        caught_by=FORWARD,
    ),
    Mutant(
        "shows_raw_cell",
        STEP,
        (("o * np.tanh(c_next)", "o * c_next"),),
        hint="The cell goes through tanh before it is shown.",
        caught_by=FORWARD,
    ),
    Mutant(
        "shows_old_cell",
        STEP,
        (("o * np.tanh(c_next)", "o * np.tanh(c)"),),
        hint="h_next shows the new cell; yours shows the old one.",
        caught_by=FORWARD,
    ),
    Mutant(
        "candidate_sigmoid",
        STEP,
        (("g = np.tanh(", "g = sigmoid("),),
        hint="The candidate g goes through tanh, not through the sigmoid.",
        caught_by=FORWARD,
    ),
    Mutant(
        "candidate_raw",
        STEP,
        (("g = np.tanh(a[:, 2 * H : 3 * H])", "g = a[:, 2 * H : 3 * H]"),),
        hint="The candidate g goes through tanh; yours is not squashed.",
        caught_by=FORWARD,
    ),
    Mutant(
        "gates_tanh",
        STEP,
        (
            (
                "i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(",
                "i, f, o = sigmoid(a[:, :H]), np.tanh(a[:, H : 2 * H]), sigmoid(",
            ),
        ),
        hint="The forget gate goes through the sigmoid, not through tanh.",
        caught_by=FORWARD,
    ),
    Mutant("no_bias", STEP, ((" + h @ Wh + b", " + h @ Wh"),), hint="The bias is missing.", caught_by=FORWARD),
    Mutant(
        "ignores_state",
        STEP,
        ((" + h @ Wh + b", " + b"),),
        hint="The old hidden state is missing in the sum.",
        caught_by=FORWARD,
    ),
    Mutant(
        "ignores_input",
        STEP,
        (("x @ Wx + h @ Wh", "h @ Wh"),),
        hint="The input is missing in the sum.",
        caught_by=FORWARD,
    ),
    Mutant(
        "forget_bias_added",
        STEP,
        (("sigmoid(a[:, H : 2 * H])", "sigmoid(a[:, H : 2 * H] + 1)"),),
        hint="You add 1 to the forget gate; a forget bias, where one is wanted, is part of b.",
        caught_by=FORWARD,
    ),
    Mutant(
        "c_before_h",
        STEP,
        (("return h_next, c_next,", "return c_next, h_next,"),),
        hint="You return c_next before h_next.",
        caught_by=FORWARD,
    ),
    Mutant(
        "coupled_gates",
        STEP,
        (("c_next = f * c + i * g", "c_next = f * c + (1 - f) * g"),),
        hint="You write with 1 - f; the input gate i decides how much is written.",
        caught_by=FORWARD,
    ),
    Mutant(
        "cell_not_kept",
        STEP,
        (("c_next = f * c + i * g", "c_next = i * g"),),
        hint="The old cell is missing in the new one.",
        caught_by=FORWARD,
    ),
    Mutant(
        "keeps_hidden",
        STEP,
        (("f * c + i * g", "f * h + i * g"),),
        hint="The forget gate keeps the cell c; you keep the hidden state h.",
        caught_by=FORWARD,
    ),
    Mutant(
        "clips_the_cell",
        STEP,
        (("c_next = f * c + i * g", "c_next = np.clip(f * c + i * g, -1, 1)"),),
        hint="You cut the cell to -1 ... 1; it may be larger.",
        caught_by="test_each_gate_alone",
    ),
    Mutant(
        "squashed_cell_kept",
        STEP,
        (("c_next = f * c + i * g", "c_next = np.tanh(f * c + i * g)"), ("o * np.tanh(c_next)", "o * c_next")),
        hint="You keep the squashed cell; tanh is for showing only.",
        caught_by=FORWARD,
    ),
    Mutant(
        "cell_in_place",
        STEP,
        (("c_next = f * c + i * g", "c *= f\n    c += i * g\n    c_next = c.copy()"),),
        hint="You write into the caller's c; make a new array.",
        caught_by="test_lstm_step_leaves_the_states_alone",
    ),
    # lstm_step_backward
    Mutant(
        "no_path_through_h",
        BACK,
        (("delta = dc + dh * o * (1 - squashed**2)", "delta = dc"),),
        hint="The cell reaches the loss also through h: that path is missing.",
        caught_by=STEPS,
    ),
    Mutant(
        "no_path_through_c",
        BACK,
        (("delta = dc + dh *", "delta = dh *"),),
        hint="The gradient that comes in through c is missing.",
        caught_by=STEPS,
    ),
    Mutant(
        "no_tanh_slope",
        BACK,
        (("dh * o * (1 - squashed**2)", "dh * o"),),
        hint="The slope of tanh is missing between h and the cell.",
        caught_by=STEPS,
    ),
    Mutant(
        "slope_of_old_cell",
        BACK,
        (("squashed = np.tanh(c_next)", "squashed = np.tanh(c)"),),
        hint="You squash the old cell; h was made from the new one.",
        caught_by=STEPS,
    ),
    Mutant(
        "no_sigmoid_slopes",
        BACK,
        (
            ("delta * g * i * (1 - i)", "delta * g"),
            ("delta * c * f * (1 - f)", "delta * c"),
            ("dh * squashed * o * (1 - o)", "dh * squashed"),
        ),
        hint="The slopes of the sigmoids are missing.",
        caught_by=STEPS,
    ),
    Mutant(
        "candidate_sigmoid_slope",
        BACK,
        (("delta * i * (1 - g**2)", "delta * i * g * (1 - g)"),),
        hint="The candidate went through tanh; you use the sigmoid's slope.",
        caught_by=STEPS,
    ),
    Mutant(
        "forget_uses_new_cell",
        BACK,
        (("delta * c * f", "delta * c_next * f"),),
        hint="The forget gate multiplied the old cell; you use the new one.",
        caught_by=STEPS,
    ),
    Mutant(
        "output_uses_raw_cell",
        BACK,
        (("dh * squashed * o * (1 - o)", "dh * c_next * o * (1 - o)"),),
        hint="The output gate multiplied tanh of the cell; you use the cell itself.",
        caught_by=STEPS,
    ),
    Mutant(
        "output_from_delta",
        BACK,
        (("dh * squashed * o", "delta * squashed * o"),),
        hint="The output gate gets its gradient from h alone, not from the cell.",
        caught_by=STEPS,
    ),
    Mutant(
        "back_order_ifog",
        BACK,
        (
            (
                "            delta * i * (1 - g**2),\n            dh * squashed * o * (1 - o),\n",
                "            dh * squashed * o * (1 - o),\n            delta * i * (1 - g**2),\n",
            ),
        ),
        hint="The blocks of your gradient are in the order i, f, o, g; here it is i, f, g, o.",
        caught_by=STEPS,
    ),
    Mutant(
        "cell_passes_whole",
        BACK,
        (("delta * f, x.T", "delta, x.T"),),
        hint="On its way to the old cell the gradient is multiplied by the forget gate.",
        caught_by=STEPS,
    ),
    Mutant(
        "cell_gets_dc_only",
        BACK,
        (("delta * f, x.T", "dc * f, x.T"),),
        hint="The old cell's gradient leaves out the path through h.",
        caught_by=STEPS,
    ),
    Mutant(
        "recurrent_uses_h_next",
        BACK,
        (("h.T @ da", "(o * squashed).T @ da"),),
        hint="The gradient of Wh uses the state before the step; you use the one after.",
        caught_by=STEPS,
    ),
    Mutant(
        "bias_mean",
        BACK,
        (("da.sum(axis=0)", "da.mean(axis=0)"),),
        hint="The gradient of b sums over the batch; you take the mean.",
        caught_by=STEPS,
    ),
    Mutant(
        "weights_mean",
        BACK,
        (("x.T @ da, h.T @ da", "x.T @ da / len(x), h.T @ da / len(x)"),),
        hint="The gradients of the weights sum over the batch; you take the mean.",
        caught_by=STEPS,
    ),
    Mutant(
        "state_and_cell_swapped",
        BACK,
        (("da @ Wh.T, delta * f,", "delta * f, da @ Wh.T,"),),
        hint="You return dc_prev before dh_prev.",
        caught_by=STEPS,
    ),
    Mutant(
        "step_back_in_place",
        BACK,
        (("delta = dc + dh", "dc += dh * o * (1 - squashed**2)\n    delta = dc + 0 * dh"),),
        hint="You write into the caller's dc; make a new array.",
        caught_by="test_step_backward_leaves_its_inputs_alone",
    ),
    # lstm_forward
    Mutant(
        "time_first",
        SEQ,
        (("np.stack(hs, axis=1)", "np.stack(hs, axis=0)"),),
        hint="hs has time along the first axis; examples go first.",
        caught_by="test_sequence_agrees_with_torch",
    ),
    Mutant(
        "cell_restarts",
        SEQ,
        (("h, c, cache = lstm_step_forward(x[:, t], h, c,", "h, _, cache = lstm_step_forward(x[:, t], h, c,"),),
        hint="The cell state is not carried from step to step.",
        caught_by="test_sequence_agrees_with_torch",
    ),
    Mutant(
        "hidden_restarts",
        SEQ,
        (("lstm_step_forward(x[:, t], h, c,", "lstm_step_forward(x[:, t], h0, c,"),),
        hint="Every step starts from h0; carry h from step to step.",
        caught_by="test_sequence_agrees_with_torch",
    ),
    Mutant(
        "ignores_h0",
        SEQ,
        (("h, c, hs, caches = h0,", "h, c, hs, caches = np.zeros_like(h0),"),),
        hint="You start from zeros; the first hidden state is h0.",
        caught_by="test_sequence_agrees_with_torch",
    ),
    Mutant(
        "cell_starts_at_h0",
        SEQ,
        (("= h0, np.zeros_like(h0), [], []", "= h0, h0, [], []"),),
        hint="The cell starts at 0, not at h0.",
        caught_by="test_sequence_agrees_with_torch",
    ),
    Mutant(
        "reads_backwards",
        SEQ,
        (
            ("for t in range(x.shape[1])", "for t in reversed(range(x.shape[1]))"),
            ("return np.stack(hs, axis=1)", "return np.stack(hs[::-1], axis=1)"),
        ),
        hint="You read the sequence from its end.",
        caught_by="test_sequence_agrees_with_torch",
    ),
    Mutant(
        "last_state_only",
        SEQ,
        (("return np.stack(hs, axis=1), caches", "return h, caches"),),
        hint="You return the last state; all of them are asked for.",
        caught_by="test_sequence_agrees_with_torch",
    ),
    Mutant(
        "states_after_squash",
        SEQ,
        (("hs.append(h)", "hs.append(np.tanh(c))"),),
        hint="You collect tanh of the cell; the hidden states are asked for, after the output gate.",
        caught_by="test_sequence_agrees_with_torch",
    ),
    Mutant(
        "h0_in_place",
        SEQ,
        (
            ("        hs.append(h)", "        h0[:] = h\n        hs.append(h)"),
            ("h, c, hs, caches = h0,", "h, c, hs, caches = h0.copy(),"),
        ),
        hint="You write into the caller's h0; make a new array.",
        caught_by="test_sequence_leaves_its_inputs_alone",
    ),
    # lstm_backward
    Mutant(
        "nothing_from_later",
        TIME,
        (("dhs[:, t] + dh, dc,", "dhs[:, t], dc,"),),
        hint="What the later step sends back through h is missing in each step's gradient.",
        caught_by=THROUGH,
    ),
    Mutant(
        "cell_gradient_lost",
        TIME,
        (("dx, dh, dc, dWx_t", "dx, dh, _, dWx_t"),),
        hint="The cell's gradient is not carried from step to step.",
        caught_by=THROUGH,
    ),
    Mutant(
        "forward_in_time",
        TIME,
        (
            ("for t in reversed(range(dhs.shape[1]))", "for t in range(dhs.shape[1])"),
            ("np.stack(dxs[::-1], axis=1)", "np.stack(dxs, axis=1)"),
        ),
        hint="You walk from the first step to the last; gradients go from the last to the first.",
        caught_by=THROUGH,
    ),
    Mutant(
        "dx_in_reverse",
        TIME,
        (("np.stack(dxs[::-1], axis=1)", "np.stack(dxs, axis=1)"),),
        hint="dx is in reversed order of time.",
        caught_by=THROUGH,
    ),
    Mutant(
        "last_step_weights",
        TIME,
        (("dWx, dWh, db = dWx + dWx_t, dWh + dWh_t, db + db_t", "dWx, dWh, db = dWx_t, dWh_t, db_t"),),
        hint="The weights are used in every step, so their gradients add up; you keep one step's.",
        caught_by=THROUGH,
    ),
    Mutant(
        "mean_over_time",
        TIME,
        (("dh, dWx, dWh, db\n", "dh, dWx / dhs.shape[1], dWh / dhs.shape[1], db / dhs.shape[1]\n"),),
        hint="The weights' gradients add up over the steps; you take the mean.",
        caught_by=THROUGH,
    ),
    Mutant(
        "dh0_missing",
        TIME,
        (("axis=1), dh, dWx", "axis=1), dhs[:, 0], dWx"),),
        hint="dh0 is what the first step sends back, not the first entry of dhs.",
        caught_by=THROUGH,
    ),
    Mutant(
        "only_last_output",
        TIME,
        (("dhs[:, t] + dh, dc,", "dhs[:, t] * (t == dhs.shape[1] - 1) + dh, dc,"),),
        hint="You use the gradient of the last hidden state only; the loss may look at all of them.",
        caught_by=THROUGH,
    ),
    Mutant(
        "dhs_in_place",
        TIME,
        (("lstm_step_backward(dhs[:, t] + dh,", "lstm_step_backward(np.add(dhs[:, t], dh, out=dhs[:, t]),"),),
        hint="You write into the caller's dhs; make a new array.",
        caught_by="test_backward_through_time_leaves_dhs_alone",
    ),
    # gru_step_forward
    Mutant(
        "gru_z_swapped",
        GRU,
        (("(1 - z) * n + z * h", "z * n + (1 - z) * h"),),
        hint="z is the share of the old state; yours is the share of the candidate.",
        caught_by="test_gru_step_agrees_with_torch",
    ),
    Mutant(
        "gru_order_zrn",
        GRU,
        (
            (
                "r = sigmoid(from_x[:, :H] + from_h[:, :H])\n    z = sigmoid(from_x[:, H : 2 * H] + from_h[:, H : 2 * H])",
                "z = sigmoid(from_x[:, :H] + from_h[:, :H])\n    r = sigmoid(from_x[:, H : 2 * H] + from_h[:, H : 2 * H])",
            ),
        ),
        hint="Your blocks are in the order z, r, n; here it is r, z, n.",
        caught_by="test_gru_step_agrees_with_torch",
    ),
    Mutant(
        "gru_reset_before_matrix",
        GRU,
        (("r * from_h[:, 2 * H :]", "(r * h) @ Wh[:, 2 * H :] + bh[2 * H :]"),),
        hint="You reset the state before the matrix; here the gate acts after it, bias included.",
        caught_by="test_gru_step_agrees_with_torch",
    ),
    Mutant(
        "gru_reset_spares_bias",
        GRU,
        (("r * from_h[:, 2 * H :]", "r * (h @ Wh[:, 2 * H :]) + bh[2 * H :]"),),
        hint="The reset gate multiplies the state's bias too.",
        caught_by="test_gru_step_agrees_with_torch",
    ),
    Mutant(
        "gru_no_reset",
        GRU,
        (("r * from_h[:, 2 * H :]", "from_h[:, 2 * H :]"),),
        hint="The reset gate does nothing in the candidate.",
        caught_by="test_gru_step_agrees_with_torch",
    ),
    Mutant(
        "gru_resets_all",
        GRU,
        (("from_x[:, 2 * H :] + r * from_h", "r * from_x[:, 2 * H :] + r * from_h"),),
        hint="The reset gate multiplies the state's part only, not the input's.",
        caught_by="test_gru_step_agrees_with_torch",
    ),
    Mutant(
        "gru_candidate_sigmoid",
        GRU,
        (("n = np.tanh(", "n = sigmoid("),),
        hint="The candidate n goes through tanh.",
        caught_by="test_gru_step_agrees_with_torch",
    ),
    Mutant(
        "gru_one_bias",
        GRU,
        (("h @ Wh + bh", "h @ Wh"),),
        hint="The second bias, bh, is missing.",
        caught_by="test_gru_step_agrees_with_torch",
    ),
    # clip_grads
    Mutant(
        "clips_each_alone",
        CLIP,
        (
            (
                "return {name: factor * g for name, g in grads.items()}, norm",
                "return {n: g * min(1.0, max_norm / max(np.linalg.norm(g), 1e-300)) for n, g in grads.items()}, norm",
            ),
        ),
        hint="You limit each array alone; there is one norm over all of them.",
        caught_by="test_long_gradients_are_shortened",
    ),
    Mutant(
        "clips_values",
        CLIP,
        (("factor * g for", "np.clip(g, -max_norm, max_norm) for"),),
        hint="You cut single entries, which changes the direction; limit the norm.",
        caught_by="test_long_gradients_are_shortened",
    ),
    Mutant(
        "always_scales",
        CLIP,
        (("max_norm / norm if norm > max_norm else 1.0", "max_norm / norm"),),
        hint="Short gradients are stretched to max_norm; they should stay.",
        caught_by="test_short_gradients_stay",
    ),
    Mutant(
        "divides_by_zero",
        CLIP,
        (
            (
                "max_norm / norm if norm > max_norm else 1.0",
                "np.minimum(1.0, np.float64(max_norm) / norm) if norm else norm / norm",
            ),
        ),
        hint="A gradient of zeros is divided by its norm, which is 0.",
        caught_by="test_short_gradients_stay",
    ),
    Mutant(
        "norm_without_root",
        CLIP,
        (
            (
                "norm = np.sqrt(sum(np.sum(g**2) for g in grads.values()))",
                "norm = sum(np.sum(g**2) for g in grads.values())",
            ),
        ),
        hint="The norm is the root of the sum of squares.",
        caught_by="test_long_gradients_are_shortened",
    ),
    Mutant(
        "sum_of_norms",
        CLIP,
        (("np.sqrt(sum(np.sum(g**2) for g in grads.values()))", "sum(np.sqrt(np.sum(g**2)) for g in grads.values())"),),
        hint="You add the norms of the arrays; add the squares, then take one root.",
        caught_by="test_long_gradients_are_shortened",
    ),
    Mutant(
        "norm_after_clipping",
        CLIP,
        (("for name, g in grads.items()}, norm", "for name, g in grads.items()}, factor * norm"),),
        hint="The norm to return is the one before clipping.",
        caught_by="test_long_gradients_are_shortened",
    ),
    Mutant(
        "clips_in_place",
        CLIP,
        (("return {name:", "for g in grads.values():\n        g *= factor\n    factor = 1.0\n    return {name:"),),
        hint="You write into the caller's gradients; make new arrays.",
        caught_by="test_clipping_leaves_the_gradients_alone",
    ),
    Mutant(
        "keeps_only_long",
        CLIP,
        (("max_norm / norm if norm > max_norm else 1.0", "1.0 if norm > max_norm else max_norm / max(norm, 1e-12)"),),
        hint="You shorten the short ones and keep the long ones: the comparison is the other way round.",
        caught_by="test_long_gradients_are_shortened",
    ),
]
