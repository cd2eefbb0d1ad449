"""Right programs that look different; all of them must get full points."""

from autograder.mutation import Variant

VARIANTS = [
    Variant(
        "dict_of_enumerate",
        "encode",
        code="""
def build_vocab(text):
    symbols = ""
    for character in sorted(text):
        if character not in symbols:
            symbols += character
    return symbols


def encode(text, symbols):
    ids = torch.zeros(len(text), dtype=torch.long)
    for i, character in enumerate(text):
        ids[i] = symbols.index(character)
    return ids
""",
    ),
    Variant(
        "ids_through_numpy",
        "encode",
        code="""
def build_vocab(text):
    return "".join(np.unique(list(text)).tolist())


def encode(text, symbols):
    unknown = set(text) - set(symbols)
    if unknown:
        raise ValueError(f"characters that training never saw: {sorted(unknown)}")
    return torch.from_numpy(np.array(list(map(symbols.index, text)), dtype=np.int64))
""",
    ),
    Variant(
        "scattered",
        "one_hot",
        code="""
def one_hot(ids, V):
    return torch.zeros(*ids.shape, V).scatter_(-1, ids.unsqueeze(-1), 1.0)
""",
    ),
    Variant(
        "rows_of_the_identity",
        "one_hot",
        code="""
def one_hot(ids, V):
    return torch.eye(V, device=ids.device)[ids]
""",
    ),
    Variant(
        "compared_with_all",
        "one_hot",
        code="""
def one_hot(ids, V):
    return (ids[..., None] == torch.arange(V, device=ids.device)).to(torch.float32)
""",
    ),
    Variant(
        "list_of_batches",
        "get_batches",
        code="""
def get_batches(ids, B, T):
    batches, K = [], (ids.numel() - 1) // (B * T)
    for k in range(K):
        x, y = torch.empty(B, T, dtype=torch.int64), torch.empty(B, T, dtype=torch.int64)
        for r in range(B):
            begin = r * K * T + k * T
            x[r], y[r] = ids[begin : begin + T], ids[begin + 1 : begin + T + 1]
        batches.append([x, y])
    return batches
""",
    ),
    Variant(
        "chunks_zipped",
        "get_batches",
        code="""
def get_batches(ids, B, T):
    n = (len(ids) - 1) // (B * T) * B * T
    if n == 0:
        return iter([])
    return zip(ids[:n].view(B, -1).split(T, dim=1), ids[1 : n + 1].view(B, -1).split(T, dim=1))
""",
    ),
    Variant(
        "dataset_of_indices",
        "get_batches",
        code="""
class Batches:
    def __init__(self, ids, B, T):
        self.ids, self.B, self.T, self.K = ids, B, T, (len(ids) - 1) // (B * T)

    def __len__(self):
        return self.K

    def __getitem__(self, k):
        if k >= self.K:
            raise IndexError
        places = torch.arange(self.B)[:, None] * self.K * self.T + k * self.T + torch.arange(self.T)
        return self.ids[places], self.ids[places + 1]


def get_batches(ids, B, T):
    return Batches(ids, B, T)
""",
    ),
    Variant(
        "layer_by_layer",
        "CharLSTM",
        code="""
class CharLSTM(torch.nn.Module):
    def __init__(self, V, E, H, layers, p):
        super().__init__()
        self.out = torch.nn.Linear(H, V)
        self.lookup = torch.nn.Embedding(V, E)
        self.stack = torch.nn.ModuleList([torch.nn.LSTM(E if k == 0 else H, H) for k in range(layers)])
        self.p = p

    def forward(self, ids, state=None):
        x, after = self.lookup(ids).transpose(0, 1), []
        for k, lstm in enumerate(self.stack):
            before = None if state is None else (state[0][k : k + 1], state[1][k : k + 1])
            x, new = lstm(x, before)
            after.append(new)
            x = torch.nn.functional.dropout(x, self.p, training=self.training)
        return self.out(x).transpose(0, 1), (torch.cat([h for h, _ in after]), torch.cat([c for _, c in after]))
""",
    ),
    Variant(
        "one_hot_times_matrix",
        "CharLSTM",
        code="""
class CharLSTM(torch.nn.Module):
    def __init__(self, V, E, H, layers, p):
        super().__init__()
        self.V, self.H, self.layers = V, H, layers
        self.embed = torch.nn.Linear(V, E, bias=False)
        self.drop = torch.nn.Dropout(p)
        self.lstm = torch.nn.LSTM(E, H, num_layers=layers, dropout=p, batch_first=True)
        self.fc = torch.nn.Linear(H, V)

    def init_hidden(self, B, like):
        return like.new_zeros(self.layers, B, self.H), like.new_zeros(self.layers, B, self.H)

    def forward(self, ids, state=None):
        x = self.embed(one_hot(ids, self.V))
        if state is None:
            state = self.init_hidden(ids.shape[0], x)
        out, (h, c) = self.lstm(x, tuple(state))
        flat = self.drop(out).contiguous().view(-1, self.H)
        return self.fc(flat).view(ids.shape[0], ids.shape[1], self.V), [h, c]
""",
    ),
    Variant(
        "cells_step_by_step",
        "CharLSTM",
        code="""
class CharLSTM(torch.nn.Module):
    def __init__(self, V, E, H, layers, p):
        super().__init__()
        self.embedding = torch.nn.Embedding(V, E)
        self.cells = torch.nn.ModuleList(torch.nn.LSTMCell(H if k else E, H) for k in range(layers))
        self.drop, self.out, self.H = torch.nn.Dropout(p), torch.nn.Linear(H, V), H

    def forward(self, ids, state=None):
        if state is None:
            state = [torch.zeros(len(self.cells), len(ids), self.H, device=ids.device)] * 2
        h, c, logits = list(state[0]), list(state[1]), []
        for t in range(ids.shape[1]):
            x = self.embedding(ids[:, t])
            for k, cell in enumerate(self.cells):
                h[k], c[k] = cell(x, (h[k], c[k]))
                x = self.drop(h[k])
            logits.append(self.out(x))
        return torch.stack(logits, dim=1), (torch.stack(h), torch.stack(c))
""",
    ),
    Variant(
        "log_probabilities",
        "train_epoch",
        code="""
def train_epoch(model, batches, optimizer, clip):
    model.train()
    state, total, count = None, 0.0, 0
    for x, y in batches:
        optimizer.zero_grad(set_to_none=True)
        if state is not None:
            h, c = state
            state = (h.detach(), c.detach())
        logits, state = model(x, state)
        logp = torch.log_softmax(logits, dim=-1)
        loss = -logp.gather(-1, y.unsqueeze(-1)).mean()
        loss.backward()
        norm = sum(float((p.grad**2).sum()) for p in model.parameters() if p.grad is not None) ** 0.5
        if norm > clip:
            for p in model.parameters():
                if p.grad is not None:
                    p.grad.mul_(clip / norm)
        optimizer.step()
        total += float(loss) * y.numel()
        count += y.numel()
    return total / count
""",
    ),
    Variant(
        "transposed_cross_entropy",
        "train_epoch",
        code="""
def train_epoch(model, batches, optimizer, clip):
    criterion = torch.nn.CrossEntropyLoss()
    losses = []
    state = None
    model.train(True)
    for inputs, targets in batches:
        model.zero_grad()
        logits, state = model(inputs, state)
        loss = criterion(logits.permute(0, 2, 1), targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(model.parameters()), max_norm=clip)
        optimizer.step()
        state = [s.data for s in state]
        losses.append(loss.detach())
    return torch.stack(losses).mean()
""",
    ),
    Variant(
        "log2_of_probabilities",
        "bits_per_char",
        code="""
@torch.no_grad()
def bits_per_char(model, batches):
    model.eval()
    state, all_bits = None, []
    for x, y in batches:
        logits, state = model(x, state)
        p = torch.softmax(logits.double(), dim=2)
        for r in range(y.shape[0]):
            for t in range(y.shape[1]):
                all_bits.append(-np.log2(p[r, t, y[r, t]].item()))
    return float(np.mean(all_bits))
""",
    ),
    Variant(
        "everything_at_once",
        "bits_per_char",
        code="""
def bits_per_char(model, batches):
    was = model.training
    xs, ys = zip(*batches)
    x, y = torch.cat(xs, dim=1), torch.cat(ys, dim=1)
    model.eval()
    with torch.no_grad():
        logits = model(x, None)[0]
    model.train(was)
    return torch.nn.functional.cross_entropy(logits.transpose(1, 2), y) / torch.log(torch.tensor(2.0))
""",
    ),
    Variant(
        "gumbel",
        "sample",
        code="""
def sample(model, prime, n, temperature, generator):
    model.eval()
    out = torch.zeros(n, dtype=torch.int64)
    with torch.no_grad():
        logits, state = model(prime.unsqueeze(0), None)
        for i in range(n):
            z = logits[0, -1]
            if temperature > 0:
                u = torch.rand(z.shape, generator=generator, dtype=torch.float64)
                z = z / temperature - torch.log(-torch.log(u))
            out[i] = z.argmax()
            if i + 1 < n:
                logits, state = model(out[i].view(1, 1), state)
    return out
""",
    ),
    Variant(
        "cumulative",
        "sample",
        code="""
@torch.inference_mode()
def sample(model, prime, n, temperature, generator):
    model.eval()
    state = None
    for i in prime:
        logits, state = model(i.reshape(1, 1), state)
    written = []
    while len(written) < n:
        z = logits[0, -1].double().numpy()
        if temperature == 0:
            k = int(np.argmax(z))
        else:
            p = np.exp((z - z.max()) / temperature)
            k = int(np.searchsorted(np.cumsum(p / p.sum()), torch.rand(1, generator=generator).item()))
            k = min(k, len(p) - 1)
        written.append(k)
        logits, state = model(torch.tensor([[k]]), state)
    return torch.tensor(written)
""",
    ),
    Variant(
        "filled_matrix",
        "masked_ce",
        code="""
def names_to_matrix(names, pad):
    matrix = torch.full((len(names), max(len(name) for name in names)), pad)
    for row, name in zip(matrix, names):
        row[: len(name)] = name
    return matrix


def masked_ce(logits, targets, pad):
    real = targets != pad
    return torch.nn.functional.cross_entropy(logits[real], targets[real])
""",
    ),
    Variant(
        "mask_times_surprise",
        "masked_ce",
        code="""
def names_to_matrix(names, pad):
    longest = max(map(len, names))
    return torch.stack([torch.cat([name, torch.tensor([pad] * (longest - len(name)), dtype=torch.int64)]) for name in names])


def masked_ce(logits, targets, pad):
    mask = (targets != pad).float()
    safe = targets.masked_fill(targets == pad, 0)
    logp = logits - torch.logsumexp(logits, dim=-1, keepdim=True)
    surprise = -torch.gather(logp, 2, safe[:, :, None]).squeeze(2)
    return (surprise * mask).sum() / mask.sum()
""",
    ),
    Variant(
        "name_with_the_state",
        "sample_name",
        code="""
def sample_name(model, end, temperature, generator, longest):
    model.eval()
    name, state, last = [], None, end
    with torch.no_grad():
        while len(name) < longest:
            logits, state = model(torch.tensor([[last]]), state)
            z = logits[0, -1]
            if temperature == 0:
                last = int(z.argmax())
            else:
                last = int(torch.multinomial((z / temperature).softmax(0), 1, generator=generator))
            if last == end:
                return name
            name.append(last)
    return name
""",
    ),
    Variant(
        "written_and_cut",
        "sample_name",
        code="""
def sample_name(model, end, temperature, generator, longest):
    text = sample(model, torch.tensor([end]), longest, temperature, generator)
    name = []
    for i in text:
        if i == end:
            break
        name.append(i)
    return name
""",
    ),
]
