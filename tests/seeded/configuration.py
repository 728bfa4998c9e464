"""Faults of configuration: settings and results without effect."""

from .fault import fault

REVIEWS = "keras_functional_sentiment.py"
COMPILE = "model.compile(\n    optimizer=keras.optimizers.Adam(learning_rate=1e-3, clipnorm=1.0),"

FAULTS = (
    fault(
        "setting-never-read",
        "ner_crf/train.py",
        "model.parameters(), cfg.clip)",
        "model.parameters(), 5.0)",
        at="clip: float",
    ),
    fault(
        "optimizer-discarded",
        REVIEWS,
        COMPILE,
        "keras.optimizers.Adam(learning_rate=1e-3, clipnorm=1.0)\n\n" + 'model.compile(\n    optimizer="adam",',
        at="keras.optimizers.Adam(",
    ),
    fault("callback-not-passed", REVIEWS, ", callbacks=callbacks", "", at="EarlyStopping("),
    fault("early-stopping-cannot-act", REVIEWS, "validation_split=0.2, ", "", at="EarlyStopping("),
    fault(
        "compile-overridden",
        REVIEWS,
        "callbacks = [\n",
        'model.compile("adam", "binary_crossentropy", metrics=["accuracy"])\ncallbacks = [\n',
        at="model.compile(",
    ),
    fault(
        "batch-size-ignored",
        "keras_timeseries_dataset.py",
        "model.fit(train_ds, ",
        "model.fit(train_ds, batch_size=64, ",
    ),
    fault("flag-parsed-as-bool", "accelerate_tagger.py", '"--lr", type=float', '"--lr", type=int'),
    fault(
        "result-thrown-away",
        "compiled_streaming.py",
        "    compiled = torch.compile(model)\n",
        "    compiled = model\n    torch.compile(model)\n",
        at="torch.compile(model)",
    ),
)
