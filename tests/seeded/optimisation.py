"""Faults of optimisation."""

from .fault import fault

FORECASTER = "forecaster_early_stopping.py"
ADAM = "optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)"
CLIPS = "        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"

FAULTS = (
    fault("learning-rate-out-of-range", FORECASTER, "lr=1e-3", "lr=0.5"),
    fault(
        "default-learning-rate-too-small",
        FORECASTER,
        ADAM,
        "optimizer = torch.optim.SGD(model.parameters(), momentum=0.9)",
    ),
    fault(
        "no-learning-rate-decay",
        "turbofan/train.py",
        '    scheduler = CosineAnnealingLR(optimizer, T_max=cfg["epochs"])\n',
        "",
        ("        scheduler.step()\n", ""),
        at="torch.optim.AdamW(",
    ),
    fault(
        "schedule-at-wrong-rhythm",
        "turbofan/train.py",
        "            optimizer.step()\n        scheduler.step()\n",
        "            optimizer.step()\n            scheduler.step()\n",
        at="CosineAnnealingLR(",
    ),
    fault(
        "plateau-schedule-misused",
        "residual_stack.py",
        "scheduler.step(error)",
        "scheduler.step()",
        at="ReduceLROnPlateau(",
    ),
    fault("momentum-out-of-range", "ner_crf/config.py", "momentum: float = 0.9", "momentum: float = 1.2"),
    fault(
        "sgd-without-momentum",
        "ner_crf/train.py",
        "lr=cfg.lr, momentum=cfg.momentum",
        "lr=cfg.lr",
    ),
    fault("plain-sgd", FORECASTER, ADAM, "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)", (CLIPS, "")),
    fault("batch-size-unset", FORECASTER, "y_train), batch_size=BATCH, shuffle=True", "y_train), shuffle=True"),
    fault("batch-size-extreme", FORECASTER, "BATCH = 128", "BATCH = 2"),
    fault(
        "optimizer-rebuilt-in-loop",
        FORECASTER,
        "    model.train()\n",
        "    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3 * 0.97**epoch)\n    model.train()\n",
        at="0.97**epoch",
    ),
    fault("removed-argument", "keras_timeseries_dataset.py", "RMSprop(1e-3,", "RMSprop(lr=1e-3,"),
)
