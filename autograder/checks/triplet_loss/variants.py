"""Right programs that look different; all of them must get full points."""

from autograder.mutation import Variant

VARIANTS = [
    Variant(
        "functional_normalize",
        "embed",
        code="""
def embed(model, x):
    return torch.nn.functional.normalize(model(x), p=2, dim=-1)
""",
    ),
    Variant(
        "row_by_row",
        "embed",
        code="""
def embed(model, x):
    rows = []
    for v in model(x):
        size = torch.sqrt(torch.sum(v * v)) if torch.any(v != 0) else torch.tensor(1.0, dtype=v.dtype)
        rows.append(v / size)
    return torch.stack(rows)
""",
    ),
    Variant(
        "clamped_loop",
        "triplet_loss",
        code="""
def triplet_loss(a, p, q, margin):
    loss = a.new_zeros(())
    for i in range(a.shape[0]):
        term = torch.dot(a[i] - p[i], a[i] - p[i]) - torch.dot(a[i] - q[i], a[i] - q[i]) + margin
        loss = loss + torch.clamp(term, min=0)
    return loss
""",
    ),
    Variant(
        "float32_maximum",
        "triplet_loss",
        code="""
def _squared(u, v):
    return (u - v).pow(2).sum(-1)


def triplet_loss(a, p, q, margin):
    a, p, q = a.float(), p.float(), q.float()
    value = _squared(a, p) - _squared(a, q) + margin
    return torch.sum(torch.where(value >= 0, value, torch.zeros_like(value)))
""",
    ),
    Variant(
        "einsum_expanded",
        "triplet_loss",
        code="""
def triplet_loss(a, p, q, margin):
    value = torch.einsum("ne,ne->n", p, p) - torch.einsum("ne,ne->n", q, q) + 2 * torch.einsum("ne,ne->n", a, q - p)
    return torch.nn.functional.relu(value + margin).sum(0)
""",
    ),
    Variant(
        "centred_gram",
        "pairwise_sq_dists",
        code="""
def pairwise_sq_dists(X):
    Y = X - X.mean(0, keepdim=True)
    squares = (Y * Y).sum(1, keepdim=True)
    D = squares + squares.T - 2 * Y.mm(Y.T)
    off = 1 - torch.eye(len(X), dtype=X.dtype)
    return ((D + D.T) / 2).clamp(min=0) * off
""",
    ),
    Variant(
        "rows_in_turn",
        "pairwise_sq_dists",
        code="""
def pairwise_sq_dists(X):
    return torch.stack([torch.sum((X - row) ** 2, dim=-1) for row in X])
""",
    ),
    Variant(
        "hard_by_loops",
        "batch_hard_loss",
        code="""
def batch_hard_loss(emb, labels, margin):
    D = pairwise_sq_dists(emb)
    terms = []
    for i in range(len(labels)):
        others = torch.arange(len(labels)) != i
        mine, theirs = D[i][(labels == labels[i]) & others], D[i][labels != labels[i]]
        if mine.numel() and theirs.numel():
            terms.append(torch.clamp(mine.max() - theirs.min() + margin, min=0))
    return torch.stack(terms).mean() if terms else torch.zeros(())
""",
    ),
    Variant(
        "hard_with_large_numbers",
        "batch_hard_loss",
        code="""
def batch_hard_loss(emb, labels, margin):
    N = len(labels)
    D = torch.stack([((emb - e) ** 2).sum(1) for e in emb])
    same = (labels.unsqueeze(0) == labels.unsqueeze(1)).to(D.dtype)
    mine = same - torch.eye(N, dtype=D.dtype)
    j = (D * mine - 1e12 * (1 - mine)).argmax(1)
    k = (D + 1e12 * same).argmin(1)
    rows = torch.arange(N)
    terms = (D[rows, j] - D[rows, k] + margin).clamp(min=0)
    use = ((mine.sum(1) > 0) & (same.sum(1) < N)).to(D.dtype)
    return (terms * use).sum() / max(use.sum(), 1)
""",
    ),
    Variant(
        "who_with_stack",
        "who_is_it",
        code="""
def verify(distance, threshold):
    return torch.lt(torch.as_tensor(distance), threshold)


def who_is_it(emb, register, threshold):
    names = list(register)
    d = torch.stack([register[n] for n in names]).sub(emb).square().sum(dim=1)
    k = int(torch.argmin(d))
    if d[k] < threshold:
        return names[k], d[k]
    return None, d[k]
""",
    ),
    Variant(
        "who_with_loop",
        "who_is_it",
        code="""
def verify(distance, threshold):
    return threshold > distance


def who_is_it(emb, register, threshold):
    best, name = float("inf"), None
    for person, e in register.items():
        d = float(torch.dot(emb - e, emb - e))
        if d < best:
            best, name = d, person
    if not verify(best, threshold):
        name = None
    return [name, best]
""",
    ),
    Variant(
        "sorted_rates",
        "auc",
        code="""
def auc(distances, same):
    d, s = list(map(float, distances)), list(map(bool, same))
    wins = 0.0
    for x, sx in zip(d, s):
        if sx:
            for y, sy in zip(d, s):
                if not sy:
                    wins += 1.0 if x < y else 0.5 if x == y else 0.0
    return wins / (sum(s) * (len(s) - sum(s)))


def eer(distances, same):
    d, s = np.array(distances, dtype=float), np.array(same)
    best, rate = 2.0, None
    for t in sorted(set(d)) + [max(d) + 1]:
        far, frr = (d[s == 0] < t).mean(), (d[s == 1] >= t).mean()
        if abs(far - frr) < best:
            best, rate = abs(far - frr), 0.5 * (far + frr)
    return rate
""",
    ),
    Variant(
        "later_of_equals",
        "auc",
        code="""
def auc(distances, same):
    from scipy.stats import rankdata

    distances, same = np.asarray(distances), np.asarray(same).astype(bool)
    ranks = rankdata(-distances)
    p, n = same.sum(), (~same).sum()
    return (ranks[same].sum() - p * (p + 1) / 2) / (p * n)


def eer(distances, same):
    distances, same = np.asarray(distances), np.asarray(same).astype(bool)
    thresholds = np.concatenate([[np.inf], np.sort(distances)[::-1]])
    far = np.array([(distances[~same] < t).mean() for t in thresholds])
    frr = np.array([(distances[same] >= t).mean() for t in thresholds])
    k = np.abs(far - frr).argmin()
    return np.float32((far[k] + frr[k]) / 2)
""",
    ),
]
