"""Right programs that look different; all of them must get full points."""

from autograder.mutation import Variant

VARIANTS = [
    Variant(
        "keras_optimizer",
        "minimise_quadratic",
        code="""
def minimise_quadratic(steps, lr=0.1):
    w = tf.Variable(0, dtype=tf.float32)
    optimizer = tf.keras.optimizers.SGD(learning_rate=lr)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            cost = (w - 5.0) ** 2
        optimizer.apply_gradients([(tape.gradient(cost, w), w)])
    return w
""",
    ),
    Variant(
        "plain_tensor",
        "minimise_quadratic",
        code="""
def minimise_quadratic(steps, lr=0.1):
    w = tf.constant(0.0)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            tape.watch(w)
            f = tf.square(w) - 10.0 * w + 25.0
        w = w - lr * tape.gradient(f, w)
    return w.numpy()
""",
    ),
    Variant(
        "library_one_hot",
        "one_hot",
        code="""
def one_hot(labels, depth):
    return tf.one_hot(labels, depth)
""",
    ),
    Variant(
        "rows_of_the_identity",
        "one_hot",
        code="""
def one_hot(labels, depth):
    inside = tf.logical_and(labels >= 0, labels < depth)
    rows = tf.gather(tf.eye(depth), tf.where(inside, labels, 0))
    return rows * tf.cast(inside, tf.float32)[:, tf.newaxis]
""",
    ),
    Variant(
        "library_loss",
        "softmax_ce_from_logits",
        code="""
def softmax_ce_from_logits(logits, labels):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
""",
    ),
    Variant(
        "keras_loss",
        "softmax_ce_from_logits",
        code="""
def softmax_ce_from_logits(logits, labels):
    return tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
""",
    ),
    Variant(
        "gathered_log_softmax",
        "softmax_ce_from_logits",
        code="""
def softmax_ce_from_logits(logits, labels):
    log_p = tf.nn.log_softmax(tf.cast(logits, tf.float64), axis=-1)
    places = tf.stack([tf.range(tf.shape(log_p)[0]), tf.cast(labels, tf.int32)], axis=1)
    return tf.cast(-tf.reduce_sum(tf.gather_nd(log_p, places)) / tf.cast(tf.shape(log_p)[0], tf.float64), tf.float32)
""",
    ),
    Variant(
        "shuffled_indices",
        "make_dataset",
        code="""
def make_dataset(x, y, batch, seed):
    x, y = tf.convert_to_tensor(x), tf.convert_to_tensor(y)
    rows = tf.data.Dataset.range(len(x)).shuffle(10 * len(x), seed=seed)
    return rows.map(lambda i: (x[i], y[i])).batch(batch).prefetch(1)
""",
    ),
    Variant(
        "zipped",
        "make_dataset",
        code="""
def make_dataset(x, y, batch, seed):
    both = tf.data.Dataset.zip((tf.data.Dataset.from_tensor_slices(x), tf.data.Dataset.from_tensor_slices(y)))
    return both.shuffle(buffer_size=max(len(x), 1), seed=seed).batch(batch, drop_remainder=False)
""",
    ),
    Variant(
        "glorot_initializer",
        "init_params",
        code="""
def init_params(dims, seed):
    params = []
    for k in range(1, len(dims)):
        draw = tf.keras.initializers.GlorotNormal(seed=seed + 1000 * k)
        params += [tf.Variable(draw((dims[k - 1], dims[k]))), tf.Variable(np.zeros(dims[k], dtype=np.float32))]
    return params
""",
    ),
    Variant(
        "numpy_generator",
        "init_params",
        code="""
def init_params(dims, seed):
    rng = np.random.default_rng(seed)
    params = []
    for a, b in zip(dims, dims[1:]):
        W = np.sqrt(2.0 / (a + b)) * rng.standard_normal((a, b))
        params.append(tf.Variable(W, dtype=tf.float32, name="W"))
        params.append(tf.Variable(tf.zeros([b]), name="b"))
    return tuple(params)
""",
    ),
    Variant(
        "stateless",
        "init_params",
        code="""
def init_params(dims, seed):
    out = []
    for layer, shape in enumerate(zip(dims[:-1], dims[1:])):
        scale = tf.sqrt(2.0 / tf.cast(sum(shape), tf.float32))
        out.append(tf.Variable(scale * tf.random.stateless_normal(shape, seed=[seed, layer])))
        out.append(tf.Variable(tf.zeros(shape[1:])))
    return out
""",
    ),
    Variant(
        "index_loop",
        "train_step",
        code="""
def forward(params, x):
    h = x
    count = len(params) // 2
    for k in range(count):
        h = tf.matmul(h, params[2 * k]) + params[2 * k + 1]
        if k + 1 < count:
            h = tf.maximum(h, 0.0)
    return h


def train_step(params, x, y, optimizer):
    params = list(params)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for p in params:
            tape.watch(p)
        logits = forward(params, x)
        loss = softmax_ce_from_logits(logits, y)
    grads = tape.gradient(loss, params)
    optimizer.apply(grads, params)
    return loss.numpy()
""",
    ),
    Variant(
        "functional_model",
        "build_mlp",
        code="""
def build_mlp(input_dim, hidden, classes):
    inputs = tf.keras.Input(shape=(input_dim,))
    h = tf.keras.layers.Activation("relu")(tf.keras.layers.Dense(hidden)(inputs))
    return tf.keras.Model(inputs, tf.keras.layers.Dense(units=classes, activation="linear")(h))
""",
    ),
    Variant(
        "built_later",
        "build_mlp",
        code="""
def build_mlp(input_dim, hidden, classes):
    model = tf.keras.models.Sequential()
    model.add(tf.keras.layers.Dense(hidden))
    model.add(tf.keras.layers.ReLU())
    model.add(tf.keras.layers.Dense(classes, activation=None))
    model.build((None, input_dim))
    return model
""",
    ),
]
