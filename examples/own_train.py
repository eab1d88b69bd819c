"""A training loop of somebody's own, and its search: nothing but the call at the end knows ``tuner``.

    python examples/own_train.py

trains a small network on two interleaved spirals, searches five of its settings on every core (or GPU), stops bad
trials early, and confirms the best ones on fresh seeds. See docs/own_train.md.
"""

import math

import torch
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}


def spirals(points, generator):
    """Points on two arms, with noise, and the arm of each."""
    arm = torch.arange(points) % 2
    turn = torch.rand(points, generator=generator).sqrt() * 3 * math.pi
    angle = turn + arm * math.pi
    noise = 0.3 * torch.randn(points, 2, generator=generator)
    return torch.stack([turn * angle.cos(), turn * angle.sin()], 1) / 5 + noise / 5, arm


def network(width, layers, activation):
    hidden = []
    for inputs in [2] + [width] * (layers - 1):
        hidden += [nn.Linear(inputs, width), ACTIVATIONS[activation]()]
    return nn.Sequential(*hidden, nn.Linear(width, 2))


def train(config, report):
    """One training; the validation loss at its end."""
    torch.manual_seed(config["seed"])
    torch.set_num_threads(1)
    draw = torch.Generator().manual_seed(config["seed"])
    inputs, labels = spirals(512, draw)
    unseen = spirals(1024, torch.Generator().manual_seed(0))  # the same for all
    model = network(config["width"], config["layers"], config["activation"])
    optimizer = torch.optim.AdamW(model.parameters(), config["lr"], weight_decay=config["weight_decay"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config["steps"])
    for step in range(1, config["steps"] + 1):
        batch = torch.randint(len(inputs), (64,), generator=draw)
        loss = nn.functional.cross_entropy(model(inputs[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 20 == 0:
            with torch.no_grad():
                report(step, nn.functional.cross_entropy(model(unseen[0]), unseen[1]))


if __name__ == "__main__":
    import tuner

    campaign = tuner.tune(
        train,
        space={
            "lr": "0.0005..0.1 log",
            "width": "4..64",
            "layers": "1..4",
            "activation": "relu|tanh|gelu",
            "weight_decay": "0..0.1",
        },
        base={"lr": 0.003, "width": 16, "layers": 2, "activation": "relu", "weight_decay": 0.01},
        steps=400,
        trials=12,
        confirm="2x2..4",
        name="spirals",
    )
    print(campaign.best())
