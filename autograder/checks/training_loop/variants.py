"""Right programs that look different; all of them must get full points."""

from autograder.mutation import Variant

VARIANTS = [
    Variant(
        "decay_by_loops",
        "step_decay",
        code="""
def step_decay(lr0, epoch, factor, every):
    lr = np.float32(lr0)
    for e in range(1, epoch + 1):
        if e % every == 0:
            lr = lr * np.float32(factor)
    return lr


def inverse_time(lr0, epoch, rate):
    return torch.tensor(lr0) / (1.0 + rate * epoch)


def exp_decay(lr0, epoch, factor):
    return lr0 * np.exp(epoch * np.log(factor))
""",
    ),
    Variant(
        "decay_recursive",
        "step_decay",
        code="""
def step_decay(lr0, epoch, factor, every):
    return lr0 * np.power(factor, np.floor(epoch / every))


def inverse_time(lr0, epoch, rate):
    return 1 / (1 / lr0 + rate / lr0 * epoch)


def exp_decay(lr0, epoch, factor):
    return lr0 if epoch == 0 else factor * exp_decay(lr0, epoch - 1, factor)
""",
    ),
    Variant(
        "cosine_torch",
        "cosine",
        code="""
def cosine(lr0, t, T, warmup):
    if warmup and t <= warmup:
        return lr0 * (t / warmup)
    s = (t - warmup) / (T - warmup)
    return lr0 * 0.5 * (1.0 + torch.cos(torch.tensor(s, dtype=torch.float64) * torch.pi))
""",
    ),
    Variant(
        "cosine_of_half_the_angle",
        "cosine",
        code="""
def cosine(lr0, t, T, warmup):
    rise = min(t / warmup, 1.0) if warmup > 0 else 1.0
    fall = np.cos(np.pi / 2 * max(t - warmup, 0) / (T - warmup)) ** 2
    return rise * fall * lr0
""",
    ),
    Variant(
        "triangular_smith",
        "triangular",
        code="""
def triangular(t, step, lo, hi):
    cycle = np.floor(1 + t / (2 * step))
    x = np.abs(t / step - 2 * cycle + 1)
    return lo + (hi - lo) * np.maximum(0, 1 - x)
""",
    ),
    Variant(
        "triangular_cases",
        "triangular",
        code="""
def triangular(t, step, lo, hi):
    while t > 2 * step:
        t -= 2 * step
    if t <= step:
        return lo * (1 - t / step) + hi * (t / step)
    return triangular(2 * step - t, step, lo, hi)
""",
    ),
    Variant(
        "range_test_multiplying",
        "lr_range_test",
        code="""
def lr_range_test(train_step, lo, hi, steps):
    factor = (hi / lo) ** (1 / (steps - 1))
    lrs, losses, lr, smallest = [], [], lo, float("inf")
    while len(lrs) < steps:
        loss = train_step(lr)
        if np.isnan(loss) or np.isinf(loss) or loss > 4 * smallest:
            break
        smallest = min(smallest, loss)
        lrs.append(lr)
        losses.append(loss)
        lr *= factor
    best, suggestion = float("inf"), None
    for i in range(len(losses) - 1):
        if losses[i + 1] - losses[i] < best:
            best, suggestion = losses[i + 1] - losses[i], lrs[i]
    return lrs, losses, suggestion
""",
    ),
    Variant(
        "range_test_arrays",
        "lr_range_test",
        code="""
def lr_range_test(train_step, lo, hi, steps):
    lrs = torch.logspace(math.log10(lo), math.log10(hi), steps, dtype=torch.float64)
    losses = np.zeros(0)
    for lr in lrs.tolist():
        loss = train_step(lr)
        if not np.isfinite(loss) or (losses.size and loss > 4 * losses.min()):
            break
        losses = np.append(losses, loss)
    lrs = lrs[: len(losses)]
    return lrs, losses, lrs[(losses[:-1] - losses[1:]).argmax()]
""",
    ),
    Variant(
        "pickled_to_a_temporary_file",
        "save_checkpoint",
        code="""
import pickle
import shutil
import tempfile


def save_checkpoint(path, model, optimizer, scheduler, epoch, best, generator):
    objects = [model.state_dict(), optimizer.state_dict(), scheduler.state_dict(), generator.get_state()]
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, delete=False) as file:
        try:
            pickle.dump((objects, torch.random.get_rng_state(), int(epoch), float(best)), file)
        except BaseException:
            os.remove(file.name)
            raise
        file.flush()
        os.fsync(file.fileno())
    shutil.move(file.name, path)


def load_checkpoint(path, model, optimizer, scheduler, generator):
    with open(path, "rb") as file:
        (a, b, c, d), dropout, epoch, best = pickle.load(file)
    for thing, state in ((model, a), (optimizer, b), (scheduler, c)):
        thing.load_state_dict(state)
    generator.set_state(d)
    torch.random.set_rng_state(dropout)
    return epoch, best
""",
    ),
    Variant(
        "string_paths_and_list",
        "save_checkpoint",
        code="""
def save_checkpoint(path, model, optimizer, scheduler, epoch, best, generator):
    checkpoint = dict(net=model.state_dict(), opt=optimizer.state_dict(), sched=scheduler.state_dict(),
                      numbers=[epoch, best], rng=[generator.get_state(), torch.get_rng_state()])
    name = str(path) + ".tmp"
    with open(name, "wb") as f:
        torch.save(checkpoint, f)
    os.rename(name, str(path))


def load_checkpoint(path, model, optimizer, scheduler, generator):
    checkpoint = torch.load(str(path), weights_only=False)
    generator.set_state(checkpoint["rng"][0].cpu())
    torch.set_rng_state(checkpoint["rng"][1].cpu())
    model.load_state_dict(checkpoint["net"])
    scheduler.load_state_dict(checkpoint["sched"])
    optimizer.load_state_dict(checkpoint["opt"])
    return checkpoint["numbers"]
""",
    ),
    Variant(
        "stopper_by_cases",
        "EarlyStopper",
        code="""
class EarlyStopper:
    def __init__(self, patience, mode="min", min_delta=0.0):
        self.patience = patience
        self.mode = mode
        self.min_delta = min_delta
        self.best = None
        self.left = patience
        self.kept = None

    def better(self, value):
        if self.best is None:
            return value == value
        if self.mode == "min":
            return value < self.best - self.min_delta
        return value > self.best + self.min_delta

    def step(self, value, model):
        if self.better(value):
            self.best = value
            self.left = self.patience
            self.kept = {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}
        else:
            self.left -= 1
        return self.left == 0

    def restore(self, model):
        if self.kept:
            model.load_state_dict(self.kept)
""",
    ),
    Variant(
        "stopper_keeps_a_model",
        "EarlyStopper",
        code="""
class EarlyStopper:
    def __init__(self, patience, mode="min", min_delta=0.0):
        self.patience, self.mode, self.min_delta = patience, mode, min_delta
        self.history, self.best_epoch, self.best = [], -1, np.inf if mode == "min" else -np.inf

    def step(self, value, model):
        self.history.append(value)
        gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta:
            self.best, self.best_epoch, self.model = value, len(self.history) - 1, copy.deepcopy(model)
        return np.bool_(len(self.history) - 1 - self.best_epoch >= self.patience)

    def restore(self, model):
        if self.best_epoch >= 0:
            model.load_state_dict(self.model.state_dict())
""",
    ),
    Variant(
        "measured_in_batches",
        "evaluate",
        code="""
@torch.no_grad()
def evaluate(model, x, y):
    was = model.training
    model.train(False)
    total, hits = 0.0, 0
    for i in range(0, len(x), 7):
        z = model(x[i : i + 7])
        total += F.nll_loss(F.log_softmax(z, dim=-1), y[i : i + 7], reduction="sum").item()
        hits += int((z.max(dim=1).indices == y[i : i + 7]).sum())
    model.train(was)
    return total / len(x), hits / len(x)
""",
    ),
    Variant(
        "measured_as_tensors",
        "evaluate",
        code="""
def evaluate(model, x, y):
    model.eval()
    with torch.inference_mode():
        z = model(x)
        return [nn.CrossEntropyLoss()(z, y), torch.mean((torch.argmax(z, -1) == y).double())]
""",
    ),
    Variant(
        "loop_with_own_batches",
        "fit",
        code="""
def fit(model, optimizer, scheduler, train, val, epochs, generator, writer, folder, stopper=None):
    x, y = train
    state = {"epoch": 0, "best": float("inf")}
    if os.path.exists(os.path.join(folder, "last.pt")):
        state["epoch"], state["best"] = load_checkpoint(Path(folder) / "last.pt", model, optimizer, scheduler, generator)
    while state["epoch"] < epochs:
        state["epoch"] += 1
        e = state["epoch"]
        writer.add_scalar("lr", scheduler.get_last_lr()[0], global_step=e)
        model.train()
        losses = []
        order = torch.randperm(len(x), generator=generator)
        for i in range(0, len(x), 16):
            rows = order[i : i + 16]
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses += [loss.item()] * len(rows)
        scheduler.step()
        writer.add_scalar("loss/train", np.mean(losses), global_step=e)
        loss, share = evaluate(model, val[0], val[1])
        writer.add_scalar("loss/val", torch.tensor(loss, dtype=torch.float64), global_step=e)
        writer.add_scalar("accuracy/val", share, global_step=e)
        lower = loss < state["best"]
        state["best"] = min(loss, state["best"])
        parts = (model, optimizer, scheduler, e, state["best"], generator)
        save_checkpoint(Path(folder) / "last.pt", *parts)
        if lower:
            save_checkpoint(Path(folder) / "best.pt", *parts)
        if stopper and stopper.step(loss, model):
            break
    if stopper:
        stopper.restore(model)
    return state["best"]
""",
    ),
    Variant(
        "loop_with_a_file_copied",
        "fit",
        code="""
import shutil


def fit(model, optimizer, scheduler, train, val, epochs, generator, writer, folder, stopper=None):
    start, best = 0, torch.inf
    try:
        start, best = load_checkpoint(folder / "last.pt", model, optimizer, scheduler, generator)
    except FileNotFoundError:
        pass
    for epoch in range(start, epochs):
        rates = [group["lr"] for group in optimizer.param_groups]
        train_loss = train_epoch(model.train(), optimizer, train[0], train[1], generator)
        scheduler.step()
        val_loss, accuracy = evaluate(model, *val)
        improved = val_loss < best
        best = val_loss if improved else best
        save_checkpoint(folder / "last.pt", model, optimizer, scheduler, epoch + 1, best, generator)
        if improved:
            shutil.copy(folder / "last.pt", folder / "best.new")
            os.replace(folder / "best.new", folder / "best.pt")
        writer.add_scalar("accuracy/val", accuracy, epoch + 1)
        writer.add_scalar("loss/val", val_loss, epoch + 1)
        writer.add_scalar("loss/train", train_loss, epoch + 1)
        writer.add_scalar("lr", rates[0], epoch + 1)
        if stopper is not None:
            if stopper.step(val_loss, model):
                break
    if stopper is not None:
        stopper.restore(model)
    return best
""",
    ),
]
