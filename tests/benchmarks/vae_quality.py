"""How many nats for how many seconds? The chapter's VAE, a longer run of it, and what else one may try.

    python -m tests.benchmarks.vae_quality [NAME ...] [--fresh]

The pixels are bits, each 1 with probability grey / 255, drawn anew in every training step; the encoder is
fed those bits. The test bits are drawn once. So likelihoods are those of a probability mass function, and
compare with the mixtures of Bernoullis.

Two kinds of rows. Those of the *frontier* train on 50,000 images and are judged on the 10,000 training images
held out: they choose; what they cost is told in seconds of processor time, which other programs on the
machine change little. Those of the *conclusion* train the chosen settings once more on all 60,000 and are
judged on the 10,000 test images, the only use of those.

Each row is stored as soon as it is there; a second call carries on where the first was interrupted.
"""

import argparse
import math
import time
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from emvae.autoencoders import VAE, BernoulliNetwork, GaussianNetwork, StandardGaussian, save
from emvae.bounds import NegativeELBO, NegativeIWBound, elbo_analytic_kl, importance_weighted_bound
from emvae.datasets import binarise, mnist, train_validation_split
from emvae.latents import log_evidence_by_quadrature
from emvae.training import cosine, train
from emvae.training.run import Objective
from tests.benchmarks import store

SEED = 0
FEW = 1_000  # images on which the costly numbers are computed


@dataclass(frozen=True)
class Recipe:
    """Settings of a run.

    Attributes
    ----------
    name : key under which the row is stored.
    role : "frontier" (judged on held-out training images) or "conclusion" (judged on the test images).
    hidden : widths of the encoder's hidden layers; the decoder has them in reverse order.
    epochs, batch_size, learning_rate : of the training; the rate falls to 0 along a cosine.
    n_latent : dimension of the latent.
    covariance : of q, "diagonal" or "full".
    n_samples : 1 trains on the ELBO, more on the importance-weighted bound of so many samples.
    constant_rate : keep the learning rate instead.
    """

    name: str
    role: Literal["frontier", "conclusion"]
    epochs: int
    hidden: tuple[int, ...] = (512, 256, 128)
    batch_size: int = 128
    learning_rate: float = 2e-3
    n_latent: int = 2
    covariance: Literal["diagonal", "full"] = "diagonal"
    n_samples: int = 1
    constant_rate: bool = False


CHAPTER = Recipe("chapter", "conclusion", epochs=20)
LONG = replace(CHAPTER, name="long", epochs=80)
TWENTY = Recipe("20-d", "conclusion", epochs=60, hidden=(512, 256), n_latent=20, learning_rate=1e-3)
BASE = Recipe("3 layers, 20 epochs", "frontier", epochs=20)
RECIPES = (
    CHAPTER,
    LONG,
    TWENTY,
    BASE,
    replace(BASE, name="3 layers, 5 epochs", epochs=5),
    replace(BASE, name="3 layers, 10 epochs", epochs=10),
    replace(BASE, name="3 layers, 40 epochs", epochs=40),
    replace(BASE, name="constant rate", constant_rate=True),
    replace(BASE, name="1 layer of 400", hidden=(400,)),
    replace(BASE, name="2 layers", hidden=(512, 256)),
    replace(BASE, name="4 layers", hidden=(512, 256, 128, 64)),
    replace(BASE, name="twice as wide", hidden=(1024, 512, 256)),
    replace(BASE, name="full covariance", covariance="full"),
    replace(BASE, name="importance-weighted, 5 samples", n_samples=5, epochs=10),
    replace(BASE, name="batches of 512", batch_size=512, learning_rate=4e-3),
)
REQUIRED = {"chapter": (140.0, 90.0), "long": (137.0, 300.0)}  # nats on the test bits, seconds about


@dataclass(frozen=True)
class Data:
    """Grey levels (bytes) to train on, bits (floats) to judge by."""

    train: Tensor
    validation: Tensor
    all_train: Tensor
    test: Tensor


@cache
def load() -> Data:
    """Cut the validation set from the training set, and draw the bits to judge by, all from one seed."""
    images = mnist(flat=True)
    validation_rng, test_rng, split_rng = np.random.default_rng(SEED).spawn(3)
    split = train_validation_split(len(images.train_images), n_validation=10_000, rng=split_rng)

    def bits(grey: Any, rng: np.random.Generator) -> Tensor:
        return torch.tensor(binarise(grey, method="stochastic", rng=rng), dtype=torch.float32)

    return Data(
        train=torch.tensor(images.train_images[split.train]),
        validation=bits(images.train_images[split.validation], validation_rng),
        all_train=torch.tensor(images.train_images),
        test=bits(images.test_images, test_rng),
    )


def network(recipe: Recipe, n_pixels: int) -> VAE:
    """Return an untrained VAE."""
    generator = torch.Generator().manual_seed(SEED)
    there = [n_pixels, *recipe.hidden, recipe.n_latent]
    return VAE(
        StandardGaussian(recipe.n_latent),
        GaussianNetwork(there, covariance=recipe.covariance, generator=generator),
        BernoulliNetwork(there[::-1], generator=generator),
    )


def fit(recipe: Recipe, x: Tensor, *, checkpoint: Path | None = None) -> tuple[VAE, dict[str, Any]]:
    """Train a recipe; return the VAE with what the training took."""
    vae = network(recipe, x.shape[1])
    objective: Objective = NegativeELBO(binarise=True)
    if recipe.n_samples > 1:
        objective = NegativeIWBound(recipe.n_samples, binarise=True)
    load_before, cpu = store.load(), time.process_time()
    history = train(
        vae,
        x,
        objective,
        generator=torch.Generator().manual_seed(SEED + 1),
        n_epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        schedule=None if recipe.constant_rate else cosine,
        checkpoint=checkpoint,
        resume=checkpoint is not None,
    )
    return vae, {
        "n_train": len(x),
        "stop_reason": history.stop_reason,
        "seconds": float(history.seconds[-1]),
        "processor_seconds": time.process_time() - cpu,
        "train_loss": history.loss,
        "load_before": load_before,
    }


def negative_elbo(vae: VAE, x: Tensor, *, n_samples: int = 10) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return -ELBO of each image in nats, the mean over samples, the divergence in closed form."""
    generator = torch.Generator().manual_seed(SEED + 2)
    with torch.no_grad():
        parts = [
            elbo_analytic_kl(vae, part, n_samples=n_samples, generator=generator).value.mean(0)
            for part in torch.split(x, 500)
        ]
    return -torch.cat(parts).double().numpy()


def judge(recipe: Recipe, vae: VAE, x: Tensor, *, n_samples: int, few: int) -> dict[str, Any]:
    """Evaluate a trained VAE on bits: -ELBO on all, and three numbers on the same few images."""
    all_of_them = negative_elbo(vae, x)
    row = {
        "negative_elbo": float(all_of_them.mean()),
        "standard_error": float(all_of_them.std() / math.sqrt(len(x))),
        "n_few": few,
        "n_samples_few": n_samples,
        "negative_elbo_few": float(negative_elbo(vae, x[:few], n_samples=100).mean()),
    }
    generator = torch.Generator().manual_seed(SEED + 3)
    weighted = importance_weighted_bound(
        vae, x[:few], n_samples=n_samples, generator=generator, block_size=2048
    )
    row["negative_iw_bound_few"] = -float(weighted.value.double().mean())
    if recipe.n_latent == 2 and recipe.role == "conclusion":
        exact = log_evidence_by_quadrature(vae, x[:few])
        row["negative_log_evidence_few"] = -float(np.mean(exact.value))
        row["unconverged_few"] = int((~exact.converged).sum())
        missed = exact.value - weighted.value.double().numpy()
        row["largest_miss_of_iw_bound"] = float(missed.max())
    return row


def measure(recipe: Recipe, data: Data, *, few: int = FEW, n_samples: int | None = None) -> dict[str, Any]:
    """Train a recipe and judge it: on the test images only where it concludes."""
    concludes = recipe.role == "conclusion"
    vae, told = fit(recipe, data.all_train if concludes else data.train)
    x = data.test if concludes else data.validation
    n_samples = n_samples or (5_000 if concludes else 500)
    settings = {**asdict(recipe), "hidden": list(recipe.hidden)}
    row = settings | told | judge(recipe, vae, x, n_samples=n_samples, few=few)
    return row | {"threads": torch.get_num_threads(), "date": date.today().isoformat()}


def study(recipes: list[Recipe], path: Path) -> None:
    """Run whatever the stored results lack, and store each row as soon as it is there."""
    results = store.read(path) or {
        "command": "python -m tests.benchmarks.vae_quality",
        "unit": "nats per image",
        "binarisation": "stochastic: in training drawn anew at each step, to judge by drawn once",
        "seed": SEED,
        "conditions": store.conditions(["numpy", "torch"]),
        "rows": [],
    }
    for recipe in recipes:
        if all(row["name"] != recipe.name for row in results["rows"]):
            row = measure(recipe, load())
            if row["stop_reason"] == "interrupted":
                raise SystemExit("interrupted: the rows before are stored")
            store.put_row(path, results, row)
            print(row, flush=True)


def train_and_keep(folder: Path) -> None:
    """Run the long recipe with a checkpoint, so that it can be interrupted, and keep the model."""
    folder.mkdir(parents=True, exist_ok=True)
    vae, told = fit(LONG, load().all_train, checkpoint=folder / "vae.checkpoint")
    if told["stop_reason"] == "interrupted":
        print(f"interrupted after {told['seconds']:.0f} s: the same command goes on")
        return
    save(vae, folder / "vae.pt")
    score = negative_elbo(vae, load().test).mean()
    print(f"{told['seconds']:.0f} s; {score:.2f} nats on the test bits; the model is {folder / 'vae.pt'}")


def main() -> None:
    """Run the study, or train the long recipe and keep the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="which of: " + ", ".join(recipe.name for recipe in RECIPES))
    parser.add_argument("--fresh", action="store_true", help="forget the stored rows of these first")
    parser.add_argument("--train", type=Path, metavar="FOLDER", help="train the long recipe, keep it there")
    arguments = parser.parse_args()
    if arguments.train:
        train_and_keep(arguments.train)
        return
    if unknown := set(arguments.names) - {recipe.name for recipe in RECIPES}:
        parser.error(f"no recipe {', '.join(sorted(unknown))}")
    chosen = [recipe for recipe in RECIPES if recipe.name in arguments.names or not arguments.names]
    path = store.RESULTS / "vae_quality.json"
    if arguments.fresh and (results := store.read(path)):
        names = {recipe.name for recipe in chosen}
        results["rows"] = [row for row in results["rows"] if row["name"] not in names]
        store.write(path, results)
    study(chosen, path)


if __name__ == "__main__":
    main()
