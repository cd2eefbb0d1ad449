"""Wrong programs that students write, each with the sentence they should read."""

from autograder.mutation import Mutant

ENCODE, ONE, BATCHES, MODEL, TRAIN, BITS, SAMPLE, MASKED, NAME = (
    "encode", "one_hot", "get_batches", "CharLSTM", "train_epoch", "bits_per_char", "sample", "masked_ce", "sample_name",
)  # fmt: skip
PLACES, IN_PLACE, FORMULA, EPOCH, ALL_BITS = (
    "test_ids_are_places_in_the_vocabulary", "test_one_in_its_place", "test_batches_follow_the_formula",
    "test_epoch_follows_the_formulas", "test_bits_of_all_characters",
)  # fmt: skip
COLD, SHARES, MEAN, WHOLE_NAME = (
    "test_cold_writing_follows_the_likeliest", "test_shares_follow_the_temperature", "test_mean_over_real_targets",
    "test_a_name_begins_after_an_end_and_stops_at_the_next",
)  # fmt: skip
VOCABULARY, LOOKED_UP = '"".join(sorted(set(text)))', "torch.tensor([place[character] for character in text])"
PLACE = "place = {symbol: i for i, symbol in enumerate(symbols)}"
HOT = "torch.nn.functional.one_hot(ids, V).float()"
SPLIT = "inputs, targets = ids[: K * B * T].reshape(B, K * T), ids[1 : K * B * T + 1].reshape(B, K * T)"
YIELD = "yield inputs[:, start : start + T], targets[:, start : start + T]"
LSTM = "torch.nn.LSTM(E, H, layers, batch_first=True, dropout=p if layers > 1 else 0.0)"
READ, HEAD = "hidden, state = self.lstm(self.embedding(ids), state)", "return self.head(self.dropout(hidden)), state"
CALL, CUT = "logits, state = model(x, state)", "state = tuple(part.detach() for part in state)"
CE = "torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten())"
CLIP = "torch.nn.utils.clip_grad_norm_(model.parameters(), clip)"
STEPS = f"optimizer.zero_grad()\n        loss.backward()\n        {CLIP}\n        optimizer.step()"
SUM = 'torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="sum").item()'
SOFT = "torch.softmax(scores / temperature, dim=1)"
DRAW = f"torch.multinomial({SOFT}, 1, generator=generator)"
PADDED = "torch.nn.utils.rnn.pad_sequence(names, batch_first=True, padding_value=pad)"
LOSS = "torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=pad)"
TERMS = 'terms = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=pad, reduction="none")'
LOOP = """name = [end]
    while len(name) <= longest:
        following = sample(model, torch.tensor(name), 1, temperature, generator).item()
        if following == end:
            break
        name.append(following)
    return name[1:]"""

MUTANTS = [
    # encode
    Mutant(
        "unsorted",
        ENCODE,
        ((VOCABULARY, '"".join(dict.fromkeys(text))'),),
        hint="Your vocabulary has the order in which characters appear; it should be sorted.",
        caught_by="test_vocabulary_is_sorted",
    ),
    Mutant(
        "by_frequency",
        ENCODE,
        ((VOCABULARY, '"".join(sorted(set(text), key=lambda c: (-text.count(c), c)))'),),
        hint="Your vocabulary is sorted by frequency; sort it by code point.",
        caught_by="test_vocabulary_is_sorted",
    ),
    Mutant(
        "repeated_characters",
        ENCODE,
        ((VOCABULARY, '"".join(sorted(text))'),),
        hint="A character that occurs twice should be in the vocabulary once.",
        caught_by="test_vocabulary_is_sorted",
    ),
    Mutant(
        "lower_case",
        ENCODE,
        ((VOCABULARY, '"".join(sorted(set(text.lower())))'),),
        hint="Your vocabulary makes capitals small; they are characters of their own.",
        caught_by="test_vocabulary_is_sorted",
    ),
    Mutant(
        "list_of_characters",
        ENCODE,
        ((VOCABULARY, "sorted(set(text))"),),
        hint="The vocabulary is a list; join it to one string.",
        caught_by="test_vocabulary_is_sorted",
    ),
    Mutant(
        "vocabulary_of_the_new_text",
        ENCODE,
        ((PLACE, "place = {symbol: i for i, symbol in enumerate(build_vocab(text))}"),),
        hint="You number the characters anew for each text; use the vocabulary that is given, which is the training text's.",
        caught_by=PLACES,
    ),
    Mutant(
        "code_points",
        ENCODE,
        ((PLACE, "place = {symbol: ord(symbol) for symbol in symbols}"),),
        hint="Your ids are code points; the id is the place in the vocabulary.",
        caught_by=PLACES,
    ),
    Mutant(
        "ids_from_one",
        ENCODE,
        (("enumerate(symbols)", "enumerate(symbols, 1)"),),
        hint="Your ids begin at 1; the first character of the vocabulary has id 0.",
        caught_by=PLACES,
    ),
    Mutant(
        "ids_int32",
        ENCODE,
        ((LOOKED_UP, LOOKED_UP[:-1] + ", dtype=torch.int32)"),),
        hint="The ids are right, their dtype is not: int64 is asked for (torch.Tensor, with a capital, makes floats).",
        caught_by=PLACES,
        also=("ids_float",),
    ),
    Mutant(
        "ids_float",
        ENCODE,
        ((LOOKED_UP, LOOKED_UP.replace("tensor(", "Tensor(")),),
        hint="The ids are right, their dtype is not: int64 is asked for (torch.Tensor, with a capital, makes floats).",
        caught_by=PLACES,
        also=("ids_int32",),
    ),
    Mutant(
        "unknown_is_minus_one",
        ENCODE,
        (("place[character]", "symbols.find(character)"),),
        hint="An unknown character gets the id -1, which later means the last one; refuse it.",
        caught_by="test_unknown_characters_are_refused",
    ),
    Mutant(
        "unknown_is_zero",
        ENCODE,
        (("place[character]", "place.get(character, 0)"),),
        hint="An unknown character gets the id of another one; refuse it.",
        caught_by="test_unknown_characters_are_refused",
    ),
    Mutant(
        "unknown_is_left_out",
        ENCODE,
        (("for character in text]", "for character in text if character in place]"),),
        hint="You leave unknown characters out without a word; refuse them.",
        caught_by="test_unknown_characters_are_refused",
    ),
    # one_hot
    Mutant(
        "one_hot_float64",
        ONE,
        ((".float()", ".double()"),),
        hint="The vectors are right, their dtype is not: float32 is asked for, neither whole numbers nor float64.",
        caught_by="test_one_hot_is_float32_and_wide_enough",
        also=("one_hot_int64",),
    ),
    Mutant(
        "one_hot_int64",
        ONE,
        ((".float()", ""),),
        hint="The vectors are right, their dtype is not: float32 is asked for, neither whole numbers nor float64.",
        caught_by="test_one_hot_is_float32_and_wide_enough",
        also=("one_hot_float64",),
    ),
    Mutant(
        "width_of_the_batch",
        ONE,
        ((HOT, HOT.replace(", V", "")),),
        hint="Your vectors are as wide as the largest id that occurs; they have V entries always.",
        caught_by="test_one_hot_is_float32_and_wide_enough",
    ),
    Mutant(
        "one_axis_too_few",
        ONE,
        ((HOT, HOT + ".flatten(0, 1)"),),
        hint="Streams and characters have become one axis; keep (B, T, V).",
        caught_by=IN_PLACE,
    ),
    Mutant(
        "one_hot_channels_first",
        ONE,
        ((HOT, HOT + ".transpose(1, 2)"),),
        hint="The axes are (B, V, T); the new axis comes last.",
        caught_by=IN_PLACE,
    ),
    Mutant(
        "one_place_too_far",
        ONE,
        ((HOT, HOT + ".roll(1, dims=2)"),),
        hint="The ones stand one place too far; ids begin at 0.",
        caught_by=IN_PLACE,
    ),
    # get_batches
    Mutant(
        "shift_inside_the_row",
        BATCHES,
        ((YIELD, "x = inputs[:, start : start + T]\n        yield x, x.roll(-1, dims=1)"),),
        hint="The last y of each row is the row's first x; it should be the next character of the text.",
        caught_by=FORMULA,
    ),
    Mutant(
        "shift_inside_the_stream",
        BATCHES,
        (("ids[1 : K * B * T + 1].reshape(B, K * T)", "ids[: K * B * T].reshape(B, K * T).roll(-1, dims=1)"),),
        hint="The last y of a stream is its first character; it should be the next character of the text.",
        caught_by=FORMULA,
    ),
    Mutant(
        "rows_side_by_side",
        BATCHES,
        (
            (SPLIT, "inputs, targets = ids[: K * B * T].reshape(K, B, T), ids[1 : K * B * T + 1].reshape(K, B, T)"),
            ("for start in range(0, K * T, T):", "for k in range(K):"),
            (YIELD, "yield inputs[k], targets[k]"),
        ),
        hint="Row r of the next batch does not go on where row r stopped: you fill a whole batch before the next one.",
        caught_by="test_rows_go_on_where_they_stopped",
    ),
    Mutant(
        "every_bth_character",
        BATCHES,
        (
            ("ids[: K * B * T].reshape(B, K * T)", "ids[: K * B * T].reshape(K * T, B).T"),
            ("ids[1 : K * B * T + 1].reshape(B, K * T)", "ids[1 : K * B * T + 1].reshape(K * T, B).T"),
        ),
        hint="A row takes every B-th character; it should read on, character by character.",
        caught_by="test_rows_go_on_where_they_stopped",
    ),
    Mutant(
        "random_windows",
        BATCHES,
        (
            (
                YIELD,
                "places = torch.randint(0, len(ids) - T, (B, 1)) + torch.arange(T)\n        yield ids[places], ids[places + 1]",
            ),
        ),
        hint="There is chance in your batches; they go along the text, so that the state that is carried finds its own place again.",
        caught_by="test_rows_go_on_where_they_stopped",
    ),
    Mutant(
        "shuffled_batches",
        BATCHES,
        (("for start in range(0, K * T, T):", "for start in (T * torch.randperm(K)).tolist():"),),
        hint="The batches come in a random order; they go along the text, so that the state finds its own place again.",
        caught_by=FORMULA,
        also=("random_windows",),
    ),
    Mutant(
        "overlapping",
        BATCHES,
        (("range(0, K * T, T)", "range(0, K * T - T + 1)"),),
        hint="Neighbouring batches overlap; each goes on T characters further.",
        caught_by=FORMULA,
    ),
    Mutant(
        "y_is_x",
        BATCHES,
        (("ids[1 : K * B * T + 1]", "ids[: K * B * T]"),),
        hint="y is x itself; it should be the character that follows.",
        caught_by=FORMULA,
    ),
    Mutant(
        "y_is_the_character_before",
        BATCHES,
        (("ids[1 : K * B * T + 1].reshape(B, K * T)", "ids[: K * B * T].roll(1).reshape(B, K * T)"),),
        hint="y is the character before x; it should be the one after.",
        caught_by=FORMULA,
    ),
    Mutant(
        "last_batch_lost",
        BATCHES,
        (("K = (len(ids) - 1) // (B * T)", "K = max((len(ids) - 1) // (B * T) - 1, 0)"),),
        hint="One batch is missing at the end; there are (n - 1) // (BT).",
        caught_by=FORMULA,
    ),
    Mutant(
        "last_character_has_no_next",
        BATCHES,
        (("K = (len(ids) - 1) // (B * T)", "K = len(ids) // (B * T)\n    ids = torch.cat([ids, ids[:1]])"),),
        hint="The last y comes from the beginning of the text. The last character has no next one, so it is never an x.",
        caught_by=FORMULA,
    ),
    Mutant(
        "streams_of_the_whole_text",
        BATCHES,
        (
            (
                SPLIT,
                "L = (len(ids) - 1) // B\n    inputs, targets = ids[: B * L].reshape(B, L), ids[1 : B * L + 1].reshape(B, L)",
            ),
        ),
        hint="Your rows begin (n - 1) // B characters apart, so some in between are never read; the formula says KT.",
        caught_by=FORMULA,
    ),
    Mutant(
        "short_last_batch",
        BATCHES,
        (
            (
                SPLIT,
                "L = (len(ids) - 1) // B\n    inputs, targets = ids[: B * L].reshape(B, L), ids[1 : B * L + 1].reshape(B, L)",
            ),
            ("range(0, K * T, T)", "range(0, L, T)"),
        ),
        hint="The last batch is shorter than T; all batches are (B, T), and what is left at the end is not read.",
        caught_by=FORMULA,
    ),
    Mutant(
        "batches_time_first",
        BATCHES,
        ((YIELD, "yield inputs[:, start : start + T].T, targets[:, start : start + T].T"),),
        hint="Your batches are (T, B); streams go along the first axis.",
        caught_by=FORMULA,
    ),
    # CharLSTM
    Mutant(
        "one_layer_only",
        MODEL,
        (("(E, H, layers, batch_first", "(E, H, batch_first"),),
        hint="There is one LSTM layer, whatever `layers` says.",
        caught_by="test_shapes_and_parameters",
    ),
    Mutant(
        "time_for_batch",
        MODEL,
        (("batch_first=True, ", ""),),
        hint="The LSTM takes the first axis for time; tell it that the batch comes first.",
        caught_by="test_only_the_past_of_the_own_row_counts",
    ),
    Mutant(
        "state_not_used",
        MODEL,
        ((READ, "hidden, state = self.lstm(self.embedding(ids))"),),
        hint="The state that comes in is not used: every call starts afresh.",
        caught_by="test_pieces_with_the_state_equal_one_run",
    ),
    Mutant(
        "old_state_returned",
        MODEL,
        (
            (
                READ,
                "zeros = torch.zeros(self.lstm.num_layers, len(ids), self.lstm.hidden_size)\n"
                "        state = (zeros, zeros) if state is None else state\n        hidden, _ = self.lstm(self.embedding(ids), state)",
            ),
        ),
        hint="You return the state that came in; return the one after the last character.",
        caught_by="test_pieces_with_the_state_equal_one_run",
    ),
    Mutant(
        "state_swapped",
        MODEL,
        ((HEAD, HEAD.replace(", state", ", (state[1], state[0])")),),
        hint="The state comes back as (c, h); the order is (h, c).",
        caught_by="test_output_is_linear_in_the_last_state",
        also=("state_not_used",),
    ),
    Mutant(
        "reads_backwards",
        MODEL,
        (
            ("(E, H, layers, batch_first=True,", "(E, H, layers, batch_first=True, bidirectional=True,"),
            ("torch.nn.Linear(H, V)", "torch.nn.Linear(2 * H, V)"),
        ),
        hint="The LSTM reads in both directions, so it sees the character that it should predict.",
        caught_by="test_only_the_past_of_the_own_row_counts",
    ),
    Mutant(
        "gru_for_lstm",
        MODEL,
        (
            (LSTM, LSTM.replace("LSTM", "GRU")),
            (READ, "hidden, h = self.lstm(self.embedding(ids), None if state is None else state[0].contiguous())"),
            (HEAD, HEAD.replace(", state", ", (h, h)")),
        ),
        hint="This is a GRU: three gates and no cell; an LSTM is asked for.",
        caught_by="test_shapes_and_parameters",
    ),
    Mutant(
        "plain_rnn",
        MODEL,
        (
            (LSTM, LSTM.replace("LSTM", "RNN")),
            (READ, "hidden, h = self.lstm(self.embedding(ids), None if state is None else state[0].contiguous())"),
            (HEAD, HEAD.replace(", state", ", (h, h)")),
        ),
        hint="This is a plain recurrent network; an LSTM is asked for.",
        caught_by="test_shapes_and_parameters",
    ),
    Mutant(
        "softmaxed_logits",
        MODEL,
        ((HEAD, "return self.head(self.dropout(hidden)).softmax(dim=-1), state"),),
        hint="The model returns probabilities; it should return logits. The loss does the softmax.",
        caught_by="test_output_is_linear_in_the_last_state",
    ),
    Mutant(
        "relu_before_the_output",
        MODEL,
        ((HEAD, HEAD.replace("hidden)", "hidden.relu())")),),
        hint="There is a ReLU between the LSTM and the output; nothing but dropout belongs there.",
        caught_by="test_output_is_linear_in_the_last_state",
    ),
    Mutant(
        "one_linear_layer_too_many",
        MODEL,
        (("torch.nn.Linear(H, V)", "torch.nn.Sequential(torch.nn.Linear(H, H), torch.nn.Linear(H, V))"),),
        hint="There are two linear layers after the LSTM; one is asked for.",
        caught_by="test_shapes_and_parameters",
    ),
    Mutant(
        "embedding_as_wide_as_the_state",
        MODEL,
        (("Embedding(V, E)", "Embedding(V, H)"), ("torch.nn.LSTM(E, H,", "torch.nn.LSTM(H, H,")),
        hint="The embedding has H numbers per character; it should have E.",
        caught_by="test_shapes_and_parameters",
    ),
    Mutant(
        "last_place_only",
        MODEL,
        ((HEAD, HEAD.replace("(hidden)", "(hidden[:, -1])")),),
        hint="The logits are those after the last character only; every place has its own, (B, T, V).",
        caught_by="test_only_the_past_of_the_own_row_counts",
    ),
    Mutant(
        "no_dropout_between",
        MODEL,
        ((", dropout=p if layers > 1 else 0.0", ""),),
        hint="Dropout is missing between the LSTM layers.",
        caught_by="test_where_dropout_acts",
    ),
    Mutant(
        "no_dropout_before_output",
        MODEL,
        ((HEAD, HEAD.replace("self.dropout(hidden)", "hidden")),),
        hint="Dropout is missing before the output.",
        caught_by="test_where_dropout_acts",
    ),
    Mutant(
        "dropout_on_the_embedding",
        MODEL,
        (("self.lstm(self.embedding(ids), state)", "self.lstm(self.dropout(self.embedding(ids)), state)"),),
        hint="Dropout acts on the embedding; it belongs between the layers and before the output.",
        caught_by="test_where_dropout_acts",
    ),
    Mutant(
        "always_drops",
        MODEL,
        (("self.dropout(hidden)", "torch.nn.functional.dropout(hidden, self.dropout.p)"),),
        hint="Dropout goes on in evaluation mode: the function needs to be told; the module knows.",
        caught_by="test_where_dropout_acts",
    ),
    Mutant(
        "keeps_with_p",
        MODEL,
        (("torch.nn.Dropout(p)", "torch.nn.Dropout(1 - p)"),),
        hint="p is the probability that a number is dropped; you use it as the one that it is kept.",
        caught_by="test_dropout_drops_its_share",
    ),
    Mutant(
        "p_not_used",
        MODEL,
        (("torch.nn.Dropout(p)", "torch.nn.Dropout()"),),
        hint="Dropout drops one half, whatever p is.",
        caught_by="test_dropout_drops_its_share",
    ),
    Mutant(
        "lower_layers_detached",
        MODEL,
        (("self.lstm(self.embedding(ids), state)", "self.lstm(self.embedding(ids).detach(), state)"),),
        hint="No gradient reaches the embedding: it is detached.",
        caught_by="test_gradients_reach_every_parameter",
    ),
    # train_epoch
    Mutant(
        "fresh_state_every_batch",
        TRAIN,
        ((CALL, "logits, state = model(x)"),),
        hint="Each batch begins with a fresh state; carry it on from the batch before.",
        caught_by=EPOCH,
    ),
    Mutant(
        "not_detached",
        TRAIN,
        ((CUT, "state = tuple(state)"),),
        hint="The state keeps its history, so the gradient would flow back into batches that are gone; detach it.",
        caught_by=EPOCH,
    ),
    Mutant(
        "graph_retained",
        TRAIN,
        ((CUT, "state = tuple(state)"), ("loss.backward()", "loss.backward(retain_graph=True)")),
        hint="The graph grows with every batch; retaining it is no cure, detach the state.",
        caught_by=EPOCH,
        also=("not_detached",),
    ),
    Mutant(
        "only_h_detached",
        TRAIN,
        ((CUT, "state = (state[0].detach(), state[1])"),),
        hint="h is detached and c is not; both carry a history.",
        caught_by=EPOCH,
        also=("not_detached",),
    ),
    Mutant(
        "only_h_carried",
        TRAIN,
        ((CUT, "state = (state[0].detach(), torch.zeros_like(state[1]))"),),
        hint="c starts from zeros in every batch; both h and c are carried.",
        caught_by=EPOCH,
    ),
    Mutant(
        "no_clipping",
        TRAIN,
        ((f"        {CLIP}\n", ""),),
        hint="The gradient is not clipped.",
        caught_by="test_gradients_are_clipped_by_norm",
    ),
    Mutant(
        "clipped_by_value",
        TRAIN,
        (("clip_grad_norm_", "clip_grad_value_"),),
        hint="You clip each entry on its own; the length of the whole gradient is meant.",
        caught_by="test_gradients_are_clipped_by_norm",
    ),
    Mutant(
        "clipped_one_by_one",
        TRAIN,
        (
            (
                CLIP,
                "for parameter in model.parameters():\n            torch.nn.utils.clip_grad_norm_([parameter], clip)",
            ),
        ),
        hint="Each parameter is clipped on its own; the length is that of all gradients together.",
        caught_by="test_gradients_are_clipped_by_norm",
    ),
    Mutant(
        "clipped_too_late",
        TRAIN,
        ((f"{CLIP}\n        optimizer.step()", f"optimizer.step()\n        {CLIP}"),),
        hint="The gradient is clipped after the step, when it is too late.",
        caught_by="test_gradients_are_clipped_by_norm",
        also=("no_clipping",),
    ),
    Mutant(
        "clipped_too_early",
        TRAIN,
        ((f"loss.backward()\n        {CLIP}", f"{CLIP}\n        loss.backward()"),),
        hint="The gradient is clipped before there is one; first backward, then clip.",
        caught_by="test_gradients_are_clipped_by_norm",
        also=("no_clipping",),
    ),
    Mutant(
        "always_scaled",
        TRAIN,
        (
            (
                CLIP,
                "norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()\n"
                "        for p in model.parameters():\n            p.grad *= clip / norm",
            ),
        ),
        hint="Short gradients are blown up to the length of clip; only longer ones are scaled.",
        caught_by=EPOCH,
    ),
    Mutant(
        "gradients_pile_up",
        TRAIN,
        (("        optimizer.zero_grad()\n", ""),),
        hint="Old gradients are never cleared, so each step adds all that came before.",
        caught_by=EPOCH,
    ),
    Mutant(
        "cleared_before_the_step",
        TRAIN,
        ((STEPS, f"loss.backward()\n        {CLIP}\n        optimizer.zero_grad()\n        optimizer.step()"),),
        hint="The gradients are cleared between backward and step, so nothing is learnt.",
        caught_by=EPOCH,
    ),
    Mutant(
        "no_step",
        TRAIN,
        (("        optimizer.step()\n", ""),),
        hint="The optimizer never takes a step.",
        caught_by=EPOCH,
        also=("cleared_before_the_step",),
    ),
    Mutant(
        "loss_summed",
        TRAIN,
        ((CE, CE[:-1] + ', reduction="sum")'),),
        hint="The loss is a sum; the mean over the characters is asked for.",
        caught_by=EPOCH,
    ),
    Mutant(
        "loss_per_stream",
        TRAIN,
        ((CE, CE + " * x.shape[1]"),),
        hint="The loss is added along the stream; the mean over all characters is asked for.",
        caught_by=EPOCH,
    ),
    Mutant(
        "softmax_before_the_loss",
        TRAIN,
        (("cross_entropy(logits.flatten(0, 1),", "cross_entropy(logits.softmax(dim=-1).flatten(0, 1),"),),
        hint="You apply softmax before the cross-entropy, which does it itself.",
        caught_by=EPOCH,
    ),
    Mutant(
        "transposed_targets",
        TRAIN,
        (("y.flatten()", "y.T.flatten()"),),
        hint="Logits and targets are flattened in different orders.",
        caught_by=EPOCH,
    ),
    Mutant(
        "last_character_only",
        TRAIN,
        ((CE, "torch.nn.functional.cross_entropy(logits[:, -1], y[:, -1])"),),
        hint="Only the last character of each row is in the loss; every place has a target.",
        caught_by=EPOCH,
    ),
    Mutant(
        "training_mode_forgotten",
        TRAIN,
        (("    model.train()\n", ""),),
        hint="The model stays in evaluation mode, so dropout never acts; switch to training mode.",
        caught_by="test_training_mode_is_switched_on",
    ),
    Mutant(
        "losses_summed",
        TRAIN,
        (("sum(losses) / len(losses)", "sum(losses)"),),
        hint="You return the sum over the batches; the mean is asked for.",
        caught_by=EPOCH,
    ),
    Mutant(
        "last_loss",
        TRAIN,
        (("sum(losses) / len(losses)", "losses[-1]"),),
        hint="You return the loss of the last batch; the mean over the epoch is asked for.",
        caught_by=EPOCH,
    ),
    Mutant(
        "loss_in_bits",
        TRAIN,
        (("sum(losses) / len(losses)", "sum(losses) / len(losses) / np.log(2)"),),
        hint="You return bits; train_epoch returns nats.",
        caught_by=EPOCH,
    ),
    # bits_per_char
    Mutant(
        "mean_of_means",
        BITS,
        (
            ("nats += ", "nats += y.numel() ** -1 * "),
            ("count += y.numel()", "count += 1"),
        ),
        hint="You average the batches' means; a short batch then counts as much as a long one. Count characters.",
        caught_by=ALL_BITS,
    ),
    Mutant(
        "nats",
        BITS,
        ((" / np.log(2)", ""),),
        hint="You return nats; divide by ln 2 for bits.",
        caught_by=ALL_BITS,
    ),
    Mutant(
        "multiplied_by_ln_2",
        BITS,
        ((" / np.log(2)", " * np.log(2)"),),
        hint="You multiply by ln 2; divide by it.",
        caught_by=ALL_BITS,
    ),
    Mutant(
        "perplexity",
        BITS,
        (("return nats / count / np.log(2)", "return np.exp(nats / count)"),),
        hint="You return the perplexity; bits per character are its logarithm to base 2.",
        caught_by=ALL_BITS,
    ),
    Mutant(
        "total_bits",
        BITS,
        (("nats / count /", "nats /"),),
        hint="You return the bits of the whole text; divide by the number of characters.",
        caught_by=ALL_BITS,
    ),
    Mutant(
        "measured_with_dropout",
        BITS,
        (("    model.eval()\n", ""),),
        hint="The model may still be in training mode, with dropout on; switch to evaluation mode.",
        caught_by=ALL_BITS,
    ),
    Mutant(
        "measured_from_fresh_states",
        BITS,
        ((CALL, "logits, state = model(x)"),),
        hint="Each batch is predicted from a fresh state; carry it on, as the text goes on.",
        caught_by=ALL_BITS,
    ),
    Mutant(
        "measured_with_softmax_twice",
        BITS,
        (("cross_entropy(logits.flatten(0, 1)", "cross_entropy(logits.softmax(dim=-1).flatten(0, 1)"),),
        hint="You apply softmax before the cross-entropy, which does it itself.",
        caught_by=ALL_BITS,
    ),
    Mutant(
        "rows_counted",
        BITS,
        (("count += y.numel()", "count += len(y)"),),
        hint="You divide by the number of streams; divide by the number of characters.",
        caught_by=ALL_BITS,
    ),
    Mutant(
        "last_batch_left_out",
        BITS,
        (("for x, y in batches:", "for x, y in list(batches)[:-1] or [*batches]:"),),
        hint="The last batch is left out; every character counts.",
        caught_by=ALL_BITS,
    ),
    Mutant(
        "state_kept_between_calls",
        BITS,
        (
            ("    model.eval()\n", "    model.eval()\n    memory = bits_per_char.__dict__\n"),
            ("state, nats, count = None,", "state, nats, count = memory.get('state'),"),
            ("    return nats / count", "    memory['state'] = state\n    return nats / count"),
        ),
        hint="The state of the call before is still there; begin with a fresh one.",
        caught_by="test_pieces_are_one_long_text",
    ),
    Mutant(
        "teaches_while_measuring",
        BITS,
        (
            ("    with torch.no_grad():\n", "    with torch.enable_grad():\n"),
            (
                "            count +=",
                "            state = tuple(part.detach() for part in state)\n            with torch.no_grad():\n"
                "                for parameter in model.parameters():\n                    parameter *= 0.999\n            count +=",
            ),
        ),
        hint="The parameters are not what they were: measuring must not change the model.",
        caught_by="test_measuring_does_not_teach",
    ),
    # sample
    Mutant(
        "temperature_multiplies",
        SAMPLE,
        (("scores / temperature", "scores * temperature"),),
        hint="You multiply by the temperature; divide by it.",
        caught_by=SHARES,
    ),
    Mutant(
        "temperature_ignored",
        SAMPLE,
        (("scores / temperature", "scores"),),
        hint="The temperature makes no difference; divide the logits by it.",
        caught_by=SHARES,
    ),
    Mutant(
        "temperature_after_softmax",
        SAMPLE,
        ((SOFT, "torch.softmax(torch.softmax(scores, dim=1) / temperature, dim=1)"),),
        hint="There are two softmaxes; divide the logits by the temperature, then take one.",
        caught_by=SHARES,
    ),
    Mutant(
        "probabilities_divided",
        SAMPLE,
        ((SOFT, "torch.softmax(scores, dim=1) / temperature"),),
        hint="You divide probabilities by the temperature, which changes nothing once they are normalised; divide the logits.",
        caught_by=SHARES,
        also=("temperature_ignored",),
    ),
    Mutant(
        "never_draws",
        SAMPLE,
        (("if temperature == 0:", "if temperature >= 0:"),),
        hint="You always take the likeliest character; draw from the probabilities.",
        caught_by=SHARES,
    ),
    Mutant(
        "all_alike",
        SAMPLE,
        ((SOFT, "torch.ones_like(scores)"),),
        hint="All characters are drawn alike; use the probabilities.",
        caught_by=COLD,
    ),
    Mutant(
        "draws_at_zero",
        SAMPLE,
        (("if temperature == 0:", "if temperature < 0:"), ("scores / temperature", "scores / max(temperature, 0.7)")),
        hint="At temperature 0, and just above, the likeliest character is drawn; yours never gets so cold.",
        caught_by=COLD,
    ),
    Mutant(
        "divides_by_zero",
        SAMPLE,
        (("if temperature == 0:", "if temperature < 0:"),),
        hint="At temperature 0 you divide by 0; it means the likeliest character.",
        caught_by=COLD,
    ),
    Mutant(
        "state_forgotten",
        SAMPLE,
        (("            logits, state = model(ids, state)", "            logits, state = model(ids)"),),
        hint="The model reads each new character from a fresh state; carry the state.",
        caught_by=COLD,
    ),
    Mutant(
        "last_of_the_prime_only",
        SAMPLE,
        (("prime[None, :]", "prime[None, -1:]"),),
        hint="The model reads only the last character of the prime; it should read all of it.",
        caught_by=COLD,
    ),
    Mutant(
        "prime_read_twice_at_its_end",
        SAMPLE,
        (
            (
                "written, ids, state = [], prime[None, :], None",
                "written, ids, state = [], prime[None, -1:], model(prime[None, :])[1]",
            ),
        ),
        hint="The model reads the last character of the prime twice; its logits after the prime are already the ones to use.",
        caught_by=COLD,
    ),
    Mutant(
        "first_logits",
        SAMPLE,
        (("logits[:, -1]", "logits[:, 0]"),),
        hint="The first new character comes from the logits at the beginning of the prime; take those at its end.",
        caught_by=COLD,
    ),
    Mutant(
        "returns_the_prime",
        SAMPLE,
        (("torch.stack(written)", "torch.cat([prime, torch.stack(written)])"),),
        hint="The prime is part of the answer; return the new characters only.",
        caught_by=COLD,
    ),
    Mutant(
        "one_too_many",
        SAMPLE,
        (("range(n)", "range(n + 1)"),),
        hint="There is one character too many.",
        caught_by=COLD,
    ),
    Mutant(
        "written_with_dropout",
        SAMPLE,
        (("    model.eval()\n", ""),),
        hint="The model may still be in training mode, with dropout on; switch to evaluation mode.",
        caught_by=COLD,
    ),
    Mutant(
        "ignores_generator",
        SAMPLE,
        ((", generator=generator", ""),),
        hint="The draws do not come from the generator, so nobody can repeat them.",
        caught_by="test_the_generator_decides",
    ),
    Mutant(
        "one_seed_for_all",
        SAMPLE,
        (("    model.eval()\n", "    model.eval()\n    generator = torch.Generator().manual_seed(0)\n"),),
        hint="You make a generator of your own, so every text comes out alike; draw from the one that is given.",
        caught_by="test_the_generator_decides",
    ),
    # masked_ce
    Mutant(
        "padded_on_the_left",
        MASKED,
        ((PADDED, PADDED[:-1] + ', padding_side="left")'),),
        hint="The pads are on the left; fill up on the right.",
        caught_by="test_names_become_rows",
    ),
    Mutant(
        "padded_with_zero",
        MASKED,
        ((", padding_value=pad", ""),),
        hint="You fill up with 0, which is a character; fill up with `pad`.",
        caught_by="test_names_become_rows",
    ),
    Mutant(
        "matrix_time_first",
        MASKED,
        (("batch_first=True, ", ""),),
        hint="Names are columns; they should be rows.",
        caught_by="test_names_become_rows",
    ),
    Mutant(
        "one_pad_always",
        MASKED,
        ((PADDED, f"torch.nn.functional.pad({PADDED}, (0, 1), value=pad)"),),
        hint="The matrix is one column wider than the longest name.",
        caught_by="test_names_become_rows",
    ),
    Mutant(
        "cut_to_the_shortest",
        MASKED,
        ((PADDED, PADDED + "[:, : min(map(len, names))]"),),
        hint="Names are cut to the length of the shortest; fill the shorter ones up.",
        caught_by="test_names_become_rows",
    ),
    Mutant(
        "sorted_by_length",
        MASKED,
        (("pad_sequence(names,", "pad_sequence(sorted(names, key=len, reverse=True),"),),
        hint="The names come in another order.",
        caught_by="test_names_become_rows",
    ),
    Mutant(
        "pads_divide",
        MASKED,
        ((LOSS, LOSS[:-1] + ', reduction="sum") / targets.numel()'),),
        hint="You divide by all places; divide by the number of targets that are no pads.",
        caught_by=MEAN,
    ),
    Mutant(
        "pads_count",
        MASKED,
        (
            (
                LOSS,
                "torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten().clamp(0, logits.shape[2] - 1))",
            ),
        ),
        hint="Pads are in the loss; leave them out of the sum and of the count.",
        caught_by=MEAN,
    ),
    Mutant(
        "each_name_alike",
        MASKED,
        (
            (
                "return " + LOSS,
                f"{TERMS}\n    real = (targets != pad).double()\n    return (terms.reshape(real.shape).sum(1) / real.sum(1)).mean()",
            ),
        ),
        hint="You average each name, then the names; a letter of a short name then counts more. Each character counts the same.",
        caught_by=MEAN,
    ),
    Mutant(
        "sum_over_names",
        MASKED,
        ((LOSS, LOSS[:-1] + ', reduction="sum")'),),
        hint="The loss is a sum; divide by the number of targets that are no pads.",
        caught_by=MEAN,
    ),
    Mutant(
        "divided_by_names",
        MASKED,
        ((LOSS, LOSS[:-1] + ', reduction="sum") / len(targets)'),),
        hint="You divide by the number of names; divide by the number of targets that are no pads.",
        caught_by=MEAN,
    ),
    Mutant(
        "masked_with_softmax_twice",
        MASKED,
        (("cross_entropy(logits.flatten(0, 1)", "cross_entropy(logits.softmax(dim=-1).flatten(0, 1)"),),
        hint="You apply softmax before the cross-entropy, which does it itself.",
        caught_by=MEAN,
    ),
    Mutant(
        "zero_is_the_pad",
        MASKED,
        (
            (
                "return " + LOSS,
                "targets = torch.where(targets == pad, 0, targets)\n    return "
                + LOSS.replace("ignore_index=pad", "ignore_index=0"),
            ),
        ),
        hint="Character 0 is left out as if it were the pad; the pad is the id that is given.",
        caught_by=MEAN,
    ),
    Mutant(
        "logits_masked",
        MASKED,
        (
            (
                "return " + LOSS,
                "real = targets != pad\n    logits = logits * real[:, :, None]\n    return torch.nn.functional.cross_entropy("
                "logits.flatten(0, 1), torch.where(real, targets, 0).flatten())",
            ),
        ),
        hint="You mask the logits, but a row of zeros still has a loss, ln V; mask the loss, and its count.",
        caught_by=MEAN,
    ),
    Mutant(
        "masked_loss_detached",
        MASKED,
        (("return " + LOSS, f"return ({LOSS}).detach().requires_grad_()"),),
        hint="No gradient reaches the logits.",
        caught_by="test_gradient_of_the_masked_loss",
    ),
    # sample_name
    Mutant(
        "end_is_part",
        NAME,
        (
            (
                LOOP,
                LOOP.replace("        name.append(following)\n", "").replace(
                    "        if following", "        name.append(following)\n        if following"
                ),
            ),
        ),
        hint="The end is part of the name; leave it out.",
        caught_by=WHOLE_NAME,
    ),
    Mutant(
        "never_ends",
        NAME,
        (("if following == end:", "if len(name) > 10**6:"),),
        hint="The name goes on after its end; stop there.",
        caught_by=WHOLE_NAME,
    ),
    Mutant(
        "begins_with_the_end",
        NAME,
        (("return name[1:]", "return name"),),
        hint="The end that the model reads first is part of your name; leave it out.",
        caught_by=WHOLE_NAME,
    ),
    Mutant(
        "one_letter_too_many",
        NAME,
        (("len(name) <= longest", "len(name) <= longest + 1"),),
        hint="Names may have one character more than `longest`.",
        caught_by=WHOLE_NAME,
    ),
    Mutant(
        "one_letter_too_few",
        NAME,
        (("len(name) <= longest", "len(name) < longest"),),
        hint="Names break off one character before `longest`.",
        caught_by=WHOLE_NAME,
    ),
    Mutant(
        "zero_is_the_end",
        NAME,
        (("name = [end]", "end = 0\n    name = [end]"),),
        hint="The end is the id that is given, not always 0.",
        caught_by=WHOLE_NAME,
    ),
    Mutant(
        "name_without_memory",
        NAME,
        (("torch.tensor(name)", "torch.tensor(name[-1:])"),),
        hint="Each letter is drawn from a fresh state: the model knows only the letter before. Mind the state.",
        caught_by=WHOLE_NAME,
    ),
    Mutant(
        "cut_from_one_text",
        NAME,
        (
            (
                LOOP,
                "name = sample(model, torch.tensor([end]), longest, temperature, generator).tolist()\n"
                "    return [i for i in name if i != end]",
            ),
        ),
        hint="You take all that is written and strike out the ends; a name stops at the first end.",
        caught_by=WHOLE_NAME,
    ),
    Mutant(
        "name_always_likeliest",
        NAME,
        (("1, temperature,", "1, 0.0,"),),
        hint="You always take the likeliest letter, so every name is the same; use the temperature that is given.",
        caught_by="test_names_are_new_and_different",
    ),
    Mutant(
        "same_name_always",
        NAME,
        (("name = [end]", "generator, name = torch.Generator().manual_seed(0), [end]"),),
        hint="You make a new generator for each name, so all are the same; draw from the one that is given.",
        caught_by="test_names_are_new_and_different",
    ),
]
