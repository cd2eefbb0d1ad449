"""Wrong programs that students write, each with the sentence they should read."""

from autograder.mutation import Mutant

MUTANTS = [
    # zero_pad
    Mutant("ceil_size", "zero_pad", (("return (n + 2 * p - k) // s + 1", "return -((k - n - 2 * p) // s) + 1"),),
           hint="You round the number of steps up; a place where the filter sticks out does not count.", caught_by="test_places_are_counted"),
    Mutant("pad_counted_once", "zero_pad", (("return (n + 2 * p - k) // s + 1", "return (n + p - k) // s + 1"),),
           hint="The padding is on both sides, so it counts twice.", caught_by="test_places_are_counted"),
    Mutant("no_plus_one", "zero_pad", (("return (n + 2 * p - k) // s + 1", "return (n + 2 * p - k) // s"),),
           hint="You count the steps between places; there is one place more than steps.", caught_by="test_places_are_counted"),
    Mutant("stride_forgotten", "zero_pad", (("- k) // s + 1", "- k) + 1"),),
           hint="The stride is missing from the number of places.", caught_by="test_places_are_counted"),
    Mutant("no_refusal", "zero_pad", (("if k > n + 2 * p:", "if False:"),),
           hint="A filter longer than the padded axis must be refused with a ValueError.", caught_by="test_a_filter_that_does_not_fit_is_refused"),
    Mutant("refuses_without_padding", "zero_pad", (("if k > n + 2 * p:", "if k > n:"),),
           hint="Compare the filter with the padded axis, not with the bare one.", caught_by="test_places_are_counted"),
    Mutant("pads_channels", "zero_pad", (("((0, 0), (0, 0), (pad, pad), (pad, pad))", "((0, 0), (pad, pad), (pad, pad), (pad, pad))"),),
           hint="You pad the channels too; the frame goes around rows and columns only.", caught_by="test_a_frame_of_zeros"),
    Mutant("pads_one_side", "zero_pad", (("((0, 0), (0, 0), (pad, pad), (pad, pad))", "((0, 0), (0, 0), (0, 2 * pad), (0, 2 * pad))"),),
           hint="All the padding is at the bottom and the right; half of it belongs to the top and the left.", caught_by="test_a_frame_of_zeros"),
    Mutant("pads_with_edge", "zero_pad", (("(pad, pad), (pad, pad)))", "(pad, pad), (pad, pad)), mode=\"edge\")"),),
           hint="The frame repeats the border; it should be zeros.", caught_by="test_a_frame_of_zeros"),
    Mutant("pads_rows_only", "zero_pad", (("(pad, pad), (pad, pad)))", "(pad, pad), (0, 0)))"),),
           hint="Only the rows are padded; the columns need the frame as well.", caught_by="test_a_frame_of_zeros"),

    # conv2d_forward
    Mutant("filter_flipped", "conv2d_forward", (("np.tensordot(window, w,", "np.tensordot(window, w[:, :, ::-1, ::-1],"),),
           hint="You turn the filter by 180 degrees; here it is not flipped.", caught_by="test_every_output_is_the_sum_over_its_window"),
    Mutant("bias_missing", "conv2d_forward", (("axes=([1, 2, 3], [1, 2, 3])) + b", "axes=([1, 2, 3], [1, 2, 3]))"),),
           hint="The bias is missing.", caught_by="test_every_output_is_the_sum_over_its_window"),
    Mutant("bias_summed", "conv2d_forward", (("axes=([1, 2, 3], [1, 2, 3])) + b", "axes=([1, 2, 3], [1, 2, 3])) + b.sum()"),),
           hint="Every filter gets the sum of all biases; each has its own.", caught_by="test_every_output_is_the_sum_over_its_window"),
    Mutant("stride_rows_only", "conv2d_forward", (("i * stride, j * stride", "i * stride, j"),),
           hint="The stride acts on the rows only.", caught_by="test_every_output_is_the_sum_over_its_window"),
    Mutant("no_stride", "conv2d_forward", (("i * stride, j * stride", "i, j"),),
           hint="The windows move by one pixel whatever the stride.", caught_by="test_every_output_is_the_sum_over_its_window"),
    Mutant("pad_ignored", "conv2d_forward", (("padded = zero_pad(x, pad)", "padded = zero_pad(x, 0)\n    padded = np.pad(padded, ((0, 0), (0, 0), (0, 2 * pad), (0, 2 * pad)))"),),
           hint="The images are not padded on all sides before the windows are taken.", caught_by="test_every_output_is_the_sum_over_its_window"),
    Mutant("first_channel", "conv2d_forward", (("np.tensordot(window, w, axes=([1, 2, 3], [1, 2, 3]))", "np.tensordot(window[:, 0], w[:, 0], axes=([1, 2], [1, 2]))"),),
           hint="Only the first channel is used; sum over all of them.", caught_by="test_every_output_is_the_sum_over_its_window"),
    Mutant("mean_over_window", "conv2d_forward", (("axes=([1, 2, 3], [1, 2, 3])) + b", "axes=([1, 2, 3], [1, 2, 3])) / (KH * KW) + b"),),
           hint="You average over the window; the formula sums.", caught_by="test_every_output_is_the_sum_over_its_window"),
    Mutant("relu_inside", "conv2d_forward", (("    return out, (x, w, stride, pad)", "    return np.maximum(out, 0), (x, w, stride, pad)"),),
           hint="The layer cuts negative values off; that is a ReLU, which is not asked here.", caught_by="test_the_layer_is_linear"),
    Mutant("images_in_place", "conv2d_forward", (("padded = zero_pad(x, pad)", "x += 0.5\n    padded = zero_pad(x - 0.5, pad)"),),
           hint="The caller's images are changed in place; work on copies.", caught_by="test_inputs_stay_as_they_were"),

    # edge_filters
    Mutant("sobel_for_all", "edge_filters", (("\"scharr\": (3.0, 10.0, 3.0)", "\"scharr\": (1.0, 2.0, 1.0)"),),
           hint="The Scharr filter has the smoothing 3, 10, 3.", caught_by="test_edge_filters_have_their_numbers"),
    Mutant("edges_swapped", "edge_filters", (("[np.outer(a, difference), np.outer(difference, a)]", "[np.outer(difference, a), np.outer(a, difference)]"),),
           hint="The two filters have changed places: a vertical edge is a difference along a row.", caught_by="test_edge_filters_have_their_numbers"),
    Mutant("edges_negative", "edge_filters", (("np.array([1.0, 0.0, -1.0])", "np.array([-1.0, 0.0, 1.0])"),),
           hint="The sign is the other way round: bright on the left, or at the top, should be positive.", caught_by="test_edge_filters_answer_to_edges"),
    Mutant("edges_scaled", "edge_filters", (("np.outer(a, difference), np.outer(difference, a)", "np.outer(a, difference) / sum(a), np.outer(difference, a) / sum(a)"),),
           hint="Keep the numbers of the table; you scale them.", caught_by="test_edge_filters_have_their_numbers"),
    Mutant("edges_three_axes", "edge_filters", (("[:, None] for name", " for name"),),
           hint="The axis of the one channel is missing: each pair has shape (2, 1, 3, 3).", caught_by="test_edge_filters_have_their_numbers"),

    # conv1d_forward
    Mutant("signal_flipped", "conv1d_forward", (("padded[:, :, p : p + K], w)", "padded[:, :, p : p + K], w[:, :, ::-1])"),),
           hint="The filter of the signal is turned around; here it is not flipped.", caught_by="test_signals"),
    Mutant("signal_no_bias", "conv1d_forward", (("padded[:, :, p : p + K], w) + b", "padded[:, :, p : p + K], w)"),),
           hint="The bias of the signal's filters is missing.", caught_by="test_signals"),
    Mutant("signal_pad_left", "conv1d_forward", (("((0, 0), (0, 0), (pad, pad)))", "((0, 0), (0, 0), (2 * pad, 0)))"),),
           hint="The signal is padded at its start only; half belongs to its end.", caught_by="test_signals"),
    Mutant("signal_channels_mixed", "conv1d_forward", (("\"ncu,fcu->nf\"", "\"ncu,fdu->nf\""),),
           hint="Each channel of the signal has its own filter weights; you multiply all with all.", caught_by="test_signals"),
    Mutant("volume_depth_not_padded", "conv1d_forward", (("((0, 0), (0, 0), (pad, pad), (pad, pad), (pad, pad)))", "((0, 0), (0, 0), (0, 2 * pad), (pad, pad), (pad, pad)))"),),
           hint="The depth is not padded on both of its sides.", caught_by="test_volumes"),
    Mutant("volume_no_bias", "conv1d_forward", (("padded[:, :, d, h, v], w) + b", "padded[:, :, d, h, v], w)"),),
           hint="The bias of the volume's filters is missing.", caught_by="test_volumes"),
    Mutant("volume_stride_missing", "conv1d_forward", (("slice(stride * p, stride * p + k)", "slice(p, p + k)"),),
           hint="The volume's windows move by one voxel whatever the stride.", caught_by="test_volumes"),

    # pool_forward
    Mutant("pool_always_max", "pool_forward", (("np.max if mode == \"max\" else np.mean", "np.max"),),
           hint="The mode is ignored: mean pooling takes the mean.", caught_by="test_pooling"),
    Mutant("pool_stride_is_k", "pool_forward", (("i * s : i * s + k, j * s : j * s + k", "i * k : i * k + k, j * k : j * k + k"), ("out_size(H, k, s), out_size(W, k, s)", "out_size(H, k, k), out_size(W, k, k)")),
           hint="The windows move by their own size; they should move by the stride.", caught_by="test_pooling"),
    Mutant("pool_from_zero", "pool_forward", (("reduce(x[:, :, i * s : i * s + k, j * s : j * s + k], axis=(2, 3))", "np.maximum(reduce(x[:, :, i * s : i * s + k, j * s : j * s + k], axis=(2, 3)), 0 if mode == \"max\" else -np.inf)"),),
           hint="The maximum starts from 0, so windows of negative numbers give 0.", caught_by="test_pooling"),
    Mutant("pool_across_channels", "pool_forward", (("j * s : j * s + k], axis=(2, 3))", "j * s : j * s + k], axis=(2, 3)).max(axis=1, keepdims=True)"),),
           hint="You take the largest over the channels too; each channel is pooled by itself.", caught_by="test_pooling"),
    Mutant("pool_overwrites", "pool_forward", (("dx[n, c, i * s + u, j * s + v] += dout", "dx[n, c, i * s + u, j * s + v] = dout"),),
           hint="Overlapping windows overwrite each other's gradient; they should add.", caught_by="test_pooling_backward"),
    Mutant("mean_overwrites", "pool_forward", (("dx[n, c, rows, columns] += dout", "dx[n, c, rows, columns] = dout"),),
           hint="Overlapping windows of mean pooling overwrite each other's gradient; they should add.", caught_by="test_pooling_backward"),
    Mutant("mean_not_shared", "pool_forward", (("dout[n, c, i, j] / k**2", "dout[n, c, i, j]"),),
           hint="Each pixel of a mean gets a share of the gradient: divide by the number of pixels in the window.", caught_by="test_pooling_backward"),
    Mutant("dout_forgotten", "pool_forward", (("i * s + u, j * s + v] += dout[n, c, i, j]", "i * s + u, j * s + v] += 1.0"),),
           hint="The gradient that comes in is not used: send dout back, not 1.", caught_by="test_pooling_backward"),
    Mutant("max_to_all_ties", "pool_forward", (("            u, v = divmod(int(np.argmax(x[n, c, rows, columns])), k)\n            dx[n, c, i * s + u, j * s + v] += dout[n, c, i, j]", "            window = x[n, c, rows, columns]\n            dx[n, c, rows, columns] += (window == window.max()) * dout[n, c, i, j]"),),
           hint="In a tie every pixel receives the whole gradient; the shares have to add up to it.", caught_by="test_ties_keep_the_whole_gradient"),

    # conv2d_backward
    Mutant("db_mean", "conv2d_backward", (("dout.sum(axis=(0, 2, 3))", "dout.mean(axis=(0, 2, 3))"),),
           hint="db is a mean; it is the sum over images and places.", caught_by="test_gradients_agree_with_torch"),
    Mutant("db_one_image", "conv2d_backward", (("dout.sum(axis=(0, 2, 3))", "dout[0].sum(axis=(1, 2))"),),
           hint="db uses the first image only; sum over the batch.", caught_by="test_gradients_agree_with_torch"),
    Mutant("dw_averaged", "conv2d_backward", (("axes=([0], [0]))  # (F, C, KH, KW)", "axes=([0], [0])) / len(dout)"),),
           hint="dw is divided by the number of images; everything here is a sum over the batch.", caught_by="test_gradients_agree_with_torch"),
    Mutant("dx_not_cropped", "conv2d_backward", (("dpadded[:, :, pad : pad + H, pad : pad + W]", "dpadded"),),
           hint="The gradient of the frame is still there; cut it off.", caught_by="test_gradients_agree_with_torch"),
    Mutant("dx_cropped_wrongly", "conv2d_backward", (("dpadded[:, :, pad : pad + H, pad : pad + W]", "dpadded[:, :, :H, :W]"),),
           hint="You cut the frame off at the wrong end: the image starts after the padding.", caught_by="test_gradients_agree_with_torch"),
    Mutant("dx_overwritten", "conv2d_backward", (("dpadded[:, :, rows, columns] += np", "dpadded[:, :, rows, columns] = np"),),
           hint="Overlapping windows overwrite each other's part of dx; they should add.", caught_by="test_gradients_agree_with_torch"),
    Mutant("dw_last_place", "conv2d_backward", (("dw += np.tensordot", "dw = np.tensordot"),),
           hint="dw keeps only the last place; add over all of them.", caught_by="test_gradients_agree_with_torch"),
    Mutant("dw_from_bare_image", "conv2d_backward", (("padded = zero_pad(x, pad)", "padded = zero_pad(x, pad)\n    padded = np.roll(padded, -pad, axis=(2, 3))"),),
           hint="dw uses the bare image where the forward pass used the padded one.", caught_by="test_gradients_agree_with_torch"),
    Mutant("backward_no_stride", "conv2d_backward", (("slice(i * stride, i * stride + KH), slice(j * stride, j * stride + KW)", "slice(i, i + KH), slice(j, j + KW)"),),
           hint="The backward pass forgets the stride.", caught_by="test_gradients_agree_with_torch"),
    Mutant("shared_cache", "conv2d_backward", code="""
_last = {}
_forward = conv2d_forward


def conv2d_forward(x, w, b, stride=1, pad=0):
    out, cache = _forward(x, w, b, stride, pad)
    _last["cache"] = cache
    return out, None


_backward_of = None


def conv2d_backward(dout, cache):
    x, w, stride, pad = _last["cache"]
    (_, _, H, W), (_, _, KH, KW) = x.shape, w.shape
    padded = zero_pad(x, pad)
    dpadded, dw = np.zeros(padded.shape), np.zeros(w.shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + KH), slice(j * stride, j * stride + KW)
            g = dout[:, :, i, j]
            dw += np.tensordot(g, padded[:, :, rows, columns], axes=([0], [0]))
            dpadded[:, :, rows, columns] += np.tensordot(g, w, axes=([1], [0]))
    return dpadded[:, :, pad : pad + H, pad : pad + W], dw, dout.sum(axis=(0, 2, 3))
""", hint="What the backward pass needs is kept in a global variable, so a second forward pass overwrites it; keep it in the cache.",
           caught_by="test_the_image_gradient_is_the_slope"),
    Mutant("dout_in_place", "conv2d_backward", (("    db = dout.sum(axis=(0, 2, 3))", "    db = dout.sum(axis=(0, 2, 3))\n    dout *= 0.0"),),
           hint="dout is changed in place; it is the caller's.", caught_by="test_dout_stays_as_it_was"),

    # im2col_conv
    Mutant("columns_transposed", "im2col_conv", (("return cols.reshape(N, C * KH * KW, H2 * W2)", "return cols.reshape(N, C * KH * KW, H2 * W2).transpose(0, 2, 1)"), ("w.reshape(F, -1) @ im2col(x, KH, KW, stride, pad)", "w.reshape(F, -1) @ im2col(x, KH, KW, stride, pad).transpose(0, 2, 1)")),
           hint="Windows are rows in your matrix; they should be columns.", caught_by="test_windows_become_columns"),
    Mutant("places_first_column", "im2col_conv", (("return cols.reshape(N, C * KH * KW, H2 * W2)", "return cols.transpose(0, 1, 2, 3, 5, 4).reshape(N, C * KH * KW, H2 * W2)"),),
           hint="The places are in the wrong order: row by row, as we read.", caught_by="test_windows_become_columns"),
    Mutant("offsets_swapped", "im2col_conv", (("cols[:, :, u, v] =", "cols[:, :, KH - 1 - u, v] ="),),
           hint="The rows inside a window are upside down.", caught_by="test_windows_become_columns"),
    Mutant("im2col_no_bias", "im2col_conv", ((" + b[:, None]  # (N, F, H2*W2)", ""),),
           hint="The bias is missing from the product.", caught_by="test_windows_become_columns"),
    Mutant("im2col_small_numbers", "im2col_conv", (("np.empty((N, C, KH, KW, H2, W2))", "np.empty((N, C, KH, KW, H2, W2), dtype=np.float16)"),),
           hint="The windows are stored in a type of few digits.", caught_by="test_large_images_work"),
    Mutant("im2col_bias_by_place", "im2col_conv", (("+ b[:, None]", "+ np.resize(b, stride * 0 + im2col(x, KH, KW, stride, pad).shape[2])"),),
           hint="The bias is spread over the places; each filter adds its own everywhere.", caught_by="test_windows_become_columns"),

    # param_count
    Mutant("count_no_bias", "param_count", (("F * (C * KH * KW + 1)", "F * C * KH * KW"),),
           hint="Each filter has a bias that is not counted.", caught_by="test_parameters_of_random_networks"),
    Mutant("count_one_channel", "param_count", (("F * (C * KH * KW + 1)", "F * (KH * KW + 1)"),),
           hint="A filter has weights for every channel.", caught_by="test_parameters_of_random_networks"),
    Mutant("count_dense_no_bias", "param_count", (("M * (int(np.prod(shape)) + 1)", "M * int(np.prod(shape))"),),
           hint="Each output of a dense layer has a bias that is not counted.", caught_by="test_parameters_of_a_dense_network"),
    Mutant("count_times_places", "param_count", (("counts.append(F * (C * KH * KW + 1))", "counts.append(F * (C * KH * KW + 1) * H * W)"),),
           hint="The weights are shared by all places; they are counted once.", caught_by="test_parameters_of_random_networks"),
    Mutant("count_pool_keeps_size", "param_count", (("shape = (C, out_size(H, k, s), out_size(W, k, s))", "shape = (C, H, W)"),),
           hint="A pool makes the image smaller, which the dense layer after it notices.", caught_by="test_parameters_of_random_networks"),
    Mutant("count_square", "param_count", (("out_size(H, KH, stride, pad), out_size(W, KW, stride, pad))\n        elif", "out_size(H, KH, stride, pad), out_size(H, KW, stride, pad))\n        elif"),),
           hint="You take the image for square; its width has its own size.", caught_by="test_parameters_of_random_networks"),
]  # fmt: skip
