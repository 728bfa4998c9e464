"""Faults of data and evaluation."""

from .fault import fault

FORECASTER = "forecaster_early_stopping.py"
REVIEWS = "keras_functional_sentiment.py"
DEMAND = "per_window_scaling.py"
TAGGER = "keras_masked_tagger.py"
ACTIVITY = "optuna_gru.py"

FAULTS = (
    fault(
        "scaler-fitted-before-split", FORECASTER, "StandardScaler().fit(train_rows)", "StandardScaler().fit(features)"
    ),
    fault(
        "target-in-its-own-scale",
        DEMAND,
        "        x = self.values[i : i + self.past]\n"
        "        y = self.values[i + self.past : i + self.past + self.future]\n"
        "        loc, scale = x.mean(), x.std() + 1e-6\n"
        "        return (x - loc) / scale, (y - loc) / scale, scale\n",
        "        window = self.values[i : i + self.past + self.future]\n"
        "        scale = window.std() + 1e-6\n"
        "        window = (window - window.mean()) / scale\n"
        "        return window[:96], window[96:], scale\n",
        at="/ scale",
    ),
    fault(
        "overlapping-windows-shuffled-apart",
        DEMAND,
        "    train = Subset(data, range(0, a))\n"
        "    valid = Subset(data, range(a + gap, b))\n"
        "    test = Subset(data, range(b + gap, n))\n",
        "    train, valid, test = torch.utils.data.random_split(data, [a, b - a, n - b])\n",
    ),
    fault(
        "test-set-selects",
        "siamese_similarity.py",
        "dev_loss, dev_acc = score(model, dev_loader, criterion)",
        "dev_loss, dev_acc = score(model, test_loader, criterion)",
        at="torch.save(",
    ),
    fault(
        "no-validation-data",
        REVIEWS,
        "epochs=10, validation_split=0.2, callbacks=callbacks",
        "epochs=40",
        at="model.fit(",
    ),
    fault("padding-read-as-data", "bucketing_sampler.py", "self.rnn(packed)", "self.rnn(x)", at="self.out(h"),
    fault("padding-in-the-loss", "pointer_beam_summariser.py", "ignore_index=pad, ", "", at="nn.CrossEntropyLoss("),
    fault("padding-not-masked", REVIEWS, ", mask_zero=True", "", at="Embedding("),
    fault(
        "mask-defeated",
        TAGGER,
        "h = layers.Bidirectional(",
        "h = layers.Reshape((MAX_LEN, 100))(h)\nh = layers.Bidirectional(",
        at="Reshape(",
    ),
    fault(
        "metric-on-mixed-scales",
        FORECASTER,
        "y_test.numpy() * std + mean, ",
        "y_test.numpy(), ",
        at="mean_absolute_error(",
    ),
    fault(
        "metric-mislabelled",
        FORECASTER,
        'print("test MAE:", mean_absolute_error(',
        'print("test MAE:", mean_squared_error(',
        ("import mean_absolute_error", "import mean_squared_error"),
    ),
    fault("accuracy-on-regression", "keras_timeseries_dataset.py", 'metrics=["mae"]', 'metrics=["accuracy"]'),
    fault(
        "last-batch-reported-as-total",
        FORECASTER,
        "val_loss += criterion(model(xb), yb).item() * len(xb)",
        "val_loss = criterion(model(xb), yb).item()",
        ("    val_loss /= len(val_loader.dataset)\n", ""),
    ),
    fault("not-shuffled", FORECASTER, "batch_size=BATCH, shuffle=True)", "batch_size=BATCH)", at="DataLoader("),
    fault(
        "no-seed",
        FORECASTER,
        "torch.manual_seed(SEED)\nnp.random.seed(SEED)\n",
        "",
        ("SEED = 7\n", ""),
        at="torch.optim.Adam(",
    ),
    fault("partial-seed", FORECASTER, "torch.manual_seed(SEED)\n", "", at="np.random.seed(SEED)"),
    fault(
        "embedding-too-small",
        TAGGER,
        "Embedding(len(words) + 2,",
        "Embedding(len(words),",
    ),
    fault(
        "padding-id-is-a-real-token",
        TAGGER,
        "start=2)}",
        "start=0)}",
        ("len(words) + 2", "len(words)"),
        at="Embedding(",
    ),
    fault(
        "search-on-test-data",
        ACTIVITY,
        "accuracy(model, val_set)",
        "accuracy(model, test_set)",
    ),
    fault("grid-over-time-series", "skorch_pipeline.py", "cv=TimeSeriesSplit(4, gap=STEPS // STRIDE)", "cv=4"),
    fault("tuner-on-training-metric", "keras_tuner_search.py", 'objective="val_loss"', 'objective="loss"'),
    fault("search-range-too-wide", "keras_tuner_search.py", '"dropout", 0.0, 0.5', '"dropout", 0.0, 0.9'),
)
