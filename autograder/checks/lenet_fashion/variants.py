"""Right programs that look different; all of them must get full points."""

from autograder.mutation import Variant

VARIANTS = [
    Variant(
        "boolean_mask",
        "split",
        code="""
def split(x, y, n_validation, rng):
    held_out = np.zeros(len(y), dtype=bool)
    held_out[rng.choice(len(y), size=n_validation, replace=False)] = True
    return x[~held_out], y[~held_out], x[held_out], y[held_out]
""",
    ),
    Variant(
        "shuffled_in_place",
        "split",
        code="""
def split(x, y, n_validation, rng):
    index = list(range(len(x)))
    rng.shuffle(index)
    a, b = index[n_validation:], index[:n_validation]
    return [x[a], y[a], x[b], y[b]]
""",
    ),
    Variant(
        "torch_statistics",
        "standardise",
        code="""
def fit_standardiser(x):
    pixels = torch.from_numpy(x).double().flatten() / 255
    return pixels.mean().item(), pixels.std().item()


def standardise(x, mean, std):
    pictures = np.array(x, dtype=np.float64) / 255.0
    return torch.tensor((pictures - mean) / std).float()[:, None, :, :]
""",
    ),
    Variant(
        "statistics_in_parts",
        "standardise",
        code="""
def fit_standardiser(x):
    counts = np.bincount(np.asarray(x).ravel(), minlength=256) / np.asarray(x).size
    values = np.arange(256) / 255
    mean = counts @ values
    return mean, np.sqrt(counts @ (values - mean) ** 2)


def standardise(x, mean, std):
    x = torch.from_numpy(np.ascontiguousarray(x)).to(torch.float32)
    x = x.reshape(x.shape[0], 1, *x.shape[1:])
    return x.div(255).sub(mean).div(std)
""",
    ),
    Variant(
        "layer_by_layer",
        "LeNet5",
        code="""
class LeNet5(nn.Module):
    def __init__(self, dropout=0.0, batchnorm=False):
        super().__init__()
        self.out = nn.Linear(84, 10)
        self.f6 = nn.Linear(120, 84)
        self.f5 = nn.Linear(16 * 5 * 5, 120)
        self.c3 = nn.Conv2d(6, 16, kernel_size=(5, 5))
        self.c1 = nn.Conv2d(1, 6, kernel_size=5, padding="same")
        self.batchnorm, self.p = batchnorm, dropout
        if batchnorm:
            self.b1, self.b3 = nn.BatchNorm2d(6), nn.BatchNorm2d(16)
            self.b5, self.b6 = nn.BatchNorm1d(120), nn.BatchNorm1d(84)

    def forward(self, x):
        x = self.c1(x)
        if self.batchnorm:
            x = self.b1(x)
        x = F.relu(F.max_pool2d(x, kernel_size=2, stride=2))
        x = self.c3(x)
        if self.batchnorm:
            x = self.b3(x)
        x = F.relu(F.max_pool2d(x, 2))
        x = x.view(x.size(0), -1)
        x = self.f5(x)
        if self.batchnorm:
            x = self.b5(x)
        x = F.dropout(F.relu(x), self.p, self.training)
        x = self.f6(x)
        if self.batchnorm:
            x = self.b6(x)
        x = F.dropout(x.clamp(min=0), p=self.p, training=self.training)
        return self.out(x)
""",
    ),
    Variant(
        "lists_of_layers",
        "LeNet5",
        code="""
class LeNet5(nn.Module):
    def __init__(self, dropout=0.0, batchnorm=False):
        super().__init__()
        layers = []
        for channels_in, channels_out, padding in ((1, 6, 2), (6, 16, 0)):
            layers.append(nn.Conv2d(channels_in, channels_out, 5, padding=padding))
            if batchnorm:
                layers.append(nn.BatchNorm2d(channels_out))
            layers += [nn.ReLU(inplace=True), nn.MaxPool2d(2, 2)]
        layers.append(nn.Flatten())
        for units_in, units_out in ((400, 120), (120, 84)):
            layers.append(nn.Linear(units_in, units_out))
            if batchnorm:
                layers.append(nn.BatchNorm1d(units_out))
            layers.append(nn.ReLU(inplace=True))
            if dropout > 0:
                layers.append(nn.Dropout(dropout))
        layers.append(nn.Linear(84, 10))
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
""",
    ),
    Variant(
        "dropout_by_hand",
        "LeNet5",
        code="""
class LeNet5(nn.Module):
    def __init__(self, dropout=0.0, batchnorm=False):
        super().__init__()
        self.dropout = dropout
        self.conv = nn.ModuleList([nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)])
        self.full = nn.ModuleList([nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)])
        sizes = (6, 16, 120, 84)
        kinds = (nn.BatchNorm2d, nn.BatchNorm2d, nn.BatchNorm1d, nn.BatchNorm1d)
        self.norm = nn.ModuleList([kind(n) for kind, n in zip(kinds, sizes)]) if batchnorm else [lambda h: h] * 4

    def drop(self, h):
        if not self.training or self.dropout == 0:
            return h
        if self.dropout == 1:
            return h * 0
        keep = (torch.rand(h.shape) < 1 - self.dropout).float()
        return h * keep / (1 - self.dropout)

    def forward(self, x):
        x = F.pad(x, (2, 2, 2, 2))
        for conv, norm in zip(self.conv, self.norm[:2]):
            x = F.max_pool2d(torch.relu(norm(conv(x))), 2)
        x = x.reshape(len(x), -1)
        for full, norm in zip(self.full[:2], self.norm[2:]):
            x = self.drop(torch.relu(norm(full(x))))
        return self.full[2](x)
""",
    ),
    Variant(
        "by_type_of_layer",
        "make_optimizer",
        code="""
def make_optimizer(model, lr, weight_decay):
    weights, rest = [], []
    for module in model.modules():
        for name, p in module.named_parameters(recurse=False):
            matrix = isinstance(module, (nn.Linear, nn.Conv2d)) and name == "weight"
            (weights if matrix else rest).append(p)
    optimizer = torch.optim.AdamW([{"params": rest, "lr": lr, "weight_decay": 0}], lr=1.0)
    if weights:
        optimizer.add_param_group({"params": weights, "lr": lr, "weight_decay": weight_decay})
    return optimizer
""",
    ),
    Variant(
        "a_group_per_parameter",
        "make_optimizer",
        code="""
def make_optimizer(model, lr, weight_decay):
    groups = [{"params": [p], "weight_decay": weight_decay * (p.dim() >= 2)} for p in model.parameters()]
    return torch.optim.AdamW(groups, lr, (0.9, 0.999), 1e-8)
""",
    ),
    Variant(
        "data_loader",
        "train_epoch",
        code="""
def train_epoch(model, optimizer, x, y, batch_size, generator):
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(x, y), batch_size=batch_size, shuffle=True, generator=generator)
    criterion = nn.CrossEntropyLoss()
    model.train()
    losses, sizes = [], []
    for xb, yb in loader:
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        sizes.append(len(yb))
    return (torch.stack(losses) * torch.tensor(sizes)).sum() / sum(sizes)
""",
    ),
    Variant(
        "shuffled_copies",
        "train_epoch",
        code="""
def train_epoch(model, optimizer, x, y, batch_size, generator):
    model.train(True)
    order = torch.randperm(y.numel(), generator=generator).tolist()
    x, y = x[order], y[order]
    losses = []
    start = 0
    while start < len(order):
        xb, yb = x[start : start + batch_size], y[start : start + batch_size]
        each = -torch.log_softmax(model(xb), dim=1)[torch.arange(len(yb)), yb]
        for p in model.parameters():
            p.grad = None
        each.mean().backward()
        optimizer.step()
        losses += each.tolist()
        start += batch_size
    return float(np.mean(losses))
""",
    ),
    Variant(
        "collected_logits",
        "evaluate",
        code="""
@torch.inference_mode()
def evaluate(model, x, y, batch_size=256):
    mode = model.training
    model.eval()
    logits = torch.cat([model(x[i : i + batch_size]) for i in range(0, len(x), batch_size)])
    model.train(mode)
    accuracy = (logits.max(1)[1] == y).double().mean()
    return nn.CrossEntropyLoss()(logits, y), accuracy
""",
    ),
    Variant(
        "weighted_batches",
        "evaluate",
        code="""
def evaluate(model, x, y, batch_size=256):
    model.train(False)
    loss, hits = 0, []
    for i in range(0, len(y), batch_size):
        xb, yb = x[i : i + batch_size], y[i : i + batch_size]
        scores = model(xb).detach().double()
        loss += F.nll_loss(scores.log_softmax(-1), yb).item() * len(yb) / len(y)
        hits.extend((scores.numpy().argmax(axis=1) == yb.numpy()).tolist())
    return [np.float64(loss), np.mean(hits)]
""",
    ),
    Variant(
        "study_in_helpers",
        "run_study",
        code="""
def _train(config, splits, epochs, seed, lr, batch_size):
    torch.manual_seed(seed)
    model = LeNet5(**{key: config[key] for key in ("dropout", "batchnorm")})
    optimizer = make_optimizer(model, weight_decay=config["weight_decay"], lr=lr)
    generator = torch.Generator()
    generator.manual_seed(seed)
    losses, accuracies = np.zeros(epochs), np.zeros(epochs)
    for epoch in range(epochs):
        losses[epoch] = train_epoch(model, optimizer, splits.train[0], splits.train[1], batch_size, generator)
        accuracies[epoch] = evaluate(model, splits.validation[0], splits.validation[1], batch_size=7)[1]
    return dict(model=model, train_loss=losses.tolist(), validation_accuracy=accuracies.tolist())


def run_study(configs, splits, epochs, seed, lr=2e-3, batch_size=64):
    rows, best, highest = {}, None, -1.0
    for name in configs:
        rows[name] = _train(configs[name], splits, epochs, seed, lr, batch_size)
        if rows[name]["validation_accuracy"][-1] > highest:
            best, highest = name, rows[name]["validation_accuracy"][-1]
    return [rows, best]
""",
    ),
    Variant(
        "generator_from_numpy",
        "run_study",
        code="""
def run_study(configs, splits, epochs, seed, lr=2e-3, batch_size=64):
    (xt, yt), (xv, yv) = splits.train, splits.validation
    rows = {name: {"train_loss": [], "validation_accuracy": []} for name in configs}
    for name, row in rows.items():
        torch.manual_seed(seed)
        c = configs[name]
        row["model"] = LeNet5(c["dropout"], c["batchnorm"])
        optimizer = make_optimizer(row["model"], lr, c["weight_decay"])
        g = torch.Generator().manual_seed(seed)
        for _ in range(epochs):
            row["train_loss"].append(float(train_epoch(row["model"], optimizer, xt, yt, batch_size, g)))
            row["validation_accuracy"].append(float(evaluate(row["model"], xv, yv)[1]))
    names = list(rows)
    return rows, names[int(np.argmax([rows[n]["validation_accuracy"][-1] for n in names]))]
""",
    ),
    Variant(
        "maps_by_wrapped_forward",
        "feature_maps",
        code="""
def feature_maps(model, x):
    was_training = model.training
    model.eval()
    found = {}

    def keep(module, _, out):
        found[module] = out.detach().clone()

    handles = [m.register_forward_hook(keep) for m in model.modules() if type(m) is nn.Conv2d]
    try:
        model(x)
    finally:
        [h.remove() for h in handles]
    model.train(was_training)
    return tuple(sorted(found.values(), key=lambda m: m.shape[1]))
""",
    ),
    Variant(
        "maps_without_hooks",
        "feature_maps",
        code="""
@torch.no_grad()
def feature_maps(model, x):
    model.eval()
    first = model.features[0](x)
    return [first, model.features[4](model.features[1:4](first))]
""",
    ),
]
