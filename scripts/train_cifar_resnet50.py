"""Train the zoo's `cifar_resnet50` in PyTorch and write it as cifar_resnet50.prototxt and cifar_resnet50.caffemodel (docs/cifar_resnet50.md).

  python scripts/train_cifar_resnet50.py --cifar cifar-10-batches-bin --out DIR [--test F.npz]
  python scripts/train_cifar_resnet50.py --distil --teacher P --teacher-weights W --mean M.npy --pictures LIST --root DIR --out DIR [--test F.npz]

The first way learns from the labels of CIFAR-10's training set (binary version). The second does without that set: the student is a deeper Caffe net
less some blocks, trained on its answers to parts of photographs. PyTorch is needed by this script alone. What was written is loaded with pycaffe_acc,
and its logits must be those of the PyTorch module.
"""
from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from cifar_training.labelled_images import centred, read_labelled, read_mean, read_training_set
from cifar_training.picture_crops import crops, read_pictures, split

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CaffeError, CheckError

CHECKED = 64  # pictures that PyTorch and pycaffe_acc are compared on
HELD = 2000   # crops of held-out pictures that a distillation is judged by
CHOOSING = 512  # of these, for the choice of the blocks to drop
_HELD_STREAM = 2 ** 31  # of random numbers; epochs have those below


class Numbers(NamedTuple):
    """What the two ways do unless told otherwise."""

    epochs: int
    batch: int
    rate: float
    warmup: float


SUPERVISED = Numbers(160, 128, 0.1, 5)
DISTILLED = Numbers(20, 64, 1e-3, 0.5)


def parser() -> argparse.ArgumentParser:
    """Of the command line."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    way = p.add_mutually_exclusive_group(required=True)
    way.add_argument("--cifar", type=Path, metavar="DIR", help="folder of data_batch_1.bin … data_batch_5.bin")
    way.add_argument("--distil", action="store_true", help="learn from a teacher, without the training set")
    p.add_argument("--out", type=Path, default=Path("."), metavar="DIR", help="where the files go; default: here")
    p.add_argument("--test", type=Path, metavar="F.npz", help="print top-1 in FP32 over these pictures; nothing is chosen by it")
    p.add_argument("--mean", type=Path, metavar="M.npy",
                   help="taken from every picture; default with --cifar: the training pictures' own, written as mean.npy")
    p.add_argument("--epochs", type=int, help=f"default: {SUPERVISED.epochs}; with --distil {DISTILLED.epochs}")
    p.add_argument("--batch", type=int, help=f"default: {SUPERVISED.batch}; with --distil {DISTILLED.batch}")
    p.add_argument("--rate", type=float, help=f"highest learning rate; default: {SUPERVISED.rate}; with --distil {DISTILLED.rate}")
    p.add_argument("--warmup", type=float, help=f"epochs until then; default: {SUPERVISED.warmup:g}; with --distil {DISTILLED.warmup:g}")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--device", default="cpu", help="PyTorch's name: cpu, cuda, …")
    p.add_argument("--threads", type=int, help="of the CPU; default: PyTorch's and pycaffe_acc's own choices")
    p.add_argument("--bf16", action="store_true", help="compute activations and gradients in bfloat16; weights stay in float32")
    p.add_argument("--resume", action="store_true", help="go on with DIR/cifar_resnet50.pt, which is written after every epoch")
    labels = p.add_argument_group("with --cifar")
    labels.add_argument("--smoothing", type=float, default=0.0, help="label smoothing; default: %(default)s")
    labels.add_argument("--decay", type=float, default=5e-4, help="weight decay; default: %(default)s")
    distil = p.add_argument_group("with --distil")
    distil.add_argument("--teacher", type=Path, metavar="PROTOTXT", help="a CIFAR-10 ResNet of the zoo's layout with at least 8 blocks a stage")
    distil.add_argument("--teacher-weights", type=Path, metavar="W")
    distil.add_argument("--pictures", type=Path, action="append", default=[], metavar="LIST", help="lines of `path label`; may be given repeatedly")
    distil.add_argument("--root", type=Path, action="append", default=[], metavar="DIR",
                        help="folder of a list's pictures, one for each list; default: the lists' own folders")
    distil.add_argument("--labelled", type=Path, metavar="F.npz", help="pictures with labels that are shown among the crops")
    distil.add_argument("--labelled-share", type=float, default=0.2, help="of a batch; default: %(default)s")
    distil.add_argument("--label-weight", type=float, default=0.2, help="of their labels beside the teacher's answers; default: %(default)s")
    distil.add_argument("--mixup", type=float, default=0.5, help="share of pictures that another one shines through; default: %(default)s")
    distil.add_argument("--steps", type=int, default=200, help="batches of an epoch; default: %(default)s")
    return p


def checked(args: argparse.Namespace) -> argparse.Namespace:
    """Fill in the defaults of the chosen way.

    Raises
    ------
    CheckError
        For options that are missing, that do not go together, or that have no sense.
    """
    default = DISTILLED if args.distil else SUPERVISED
    for name, value in default._asdict().items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if args.distil:
        missing = [f"--{name.replace('_', '-')}" for name in ("teacher", "teacher_weights", "mean", "pictures") if not getattr(args, name)]
        if missing:
            raise CheckError(f"--distil needs {', '.join(missing)}")
        if args.root and len(args.root) != len(args.pictures):
            raise CheckError(f"--root is given {len(args.root)} times and --pictures {len(args.pictures)} times; give one for each list, or none")
    for name in ("epochs", "batch", "steps", "rate"):
        if not getattr(args, name) > 0:
            raise CheckError(f"--{name} is {getattr(args, name)}; it must be above 0")
    for name in ("smoothing", "labelled_share", "mixup"):
        if not 0 <= getattr(args, name) <= 1:
            raise CheckError(f"--{name.replace('_', '-')} is {getattr(args, name)}; it must be between 0 and 1")
    for name in ("warmup", "decay", "label_weight"):
        if not getattr(args, name) >= 0:
            raise CheckError(f"--{name.replace('_', '-')} is {getattr(args, name)}; it must not be below 0")
    if args.seed < 0 or (args.threads is not None and args.threads < 1):
        raise CheckError("--seed must not be below 0, --threads not below 1")
    return args


def recipe(args: argparse.Namespace) -> dict[str, str]:
    """What a training is made of: every option but those that say where it runs and what is done afterwards."""
    return {name: str(value) for name, value in sorted(vars(args).items()) if name not in ("out", "test", "device", "threads", "resume")}


class Job:
    """One training; everything here needs PyTorch."""

    def __init__(self, args: argparse.Namespace):
        import torch
        from cifar_training import caffe_files, training
        if args.threads is not None:
            torch.set_num_threads(args.threads)
        try:
            torch.zeros(1, device=args.device)
        except (RuntimeError, AssertionError) as e:
            raise CheckError(f"--device is '{args.device}', which PyTorch cannot use here: {str(e).splitlines()[0]}") from e
        torch.manual_seed(args.seed)
        args.out.mkdir(parents=True, exist_ok=True)
        self._args, self._torch, self._files, self._training = args, torch, caffe_files, training
        self._plan = training.Plan(args.epochs, args.rate, args.warmup, args.device, args.bf16)
        self._checkpoint = training.Checkpoint(args.out / f"{caffe_files.NAME}.pt", recipe(args))

    def supervised(self) -> tuple[Any, np.ndarray, np.ndarray]:
        """Train on labels: the net, the mean, pictures to compare on."""
        from cifar_training.resnet import CifarResNet
        from cifar_training.supervised import Supervised, Supervision
        args = self._args
        images, labels = read_training_set(args.cifar)
        if args.mean is None:
            mean = images.mean(0, dtype=np.float64).astype(np.float32)
            with whole_file(args.out / "mean.npy") as part, open(part, "wb") as f:
                np.save(f, mean)
        else:
            mean = read_mean(args.mean)
        print(f"{len(images)} labelled pictures")
        way = Supervised(images, labels, mean, Supervision(args.batch, args.seed, args.smoothing, args.decay))
        net = self._training.train(CifarResNet(), way, self._plan, self._checkpoint, args.resume)
        return net, mean, centred(images[:CHECKED], mean)

    def distilled(self) -> tuple[Any, np.ndarray, np.ndarray]:
        """Train on a teacher's answers: the net, the mean, pictures to compare on."""
        from cifar_training.distillation import Distillation, Distilling, Labelled
        from cifar_training.resnet import STUDENT_BLOCKS, answers
        from cifar_training.shortening import shortened
        args, torch = self._args, self._torch
        mean = read_mean(args.mean)
        labelled = None if args.labelled is None else Labelled(*read_labelled(args.labelled))
        pictures, held_pictures = split(read_pictures(list(zip(args.pictures, args.root or [None] * len(args.pictures), strict=True))))
        held = centred(crops(held_pictures, HELD, np.random.default_rng((args.seed, _HELD_STREAM))), mean)
        print(f"{len(pictures)} pictures to learn from, {HELD} crops of {len(held_pictures)} others held out"
              + ("" if labelled is None else f", {len(labelled.images)} labelled pictures"))
        teacher = self._files.read_net(args.teacher_weights)
        off = self._files.check_same(args.teacher, args.teacher_weights, held[:CHECKED],
                                     answers(teacher, torch.from_numpy(held[:CHECKED])).numpy(), args.threads)
        print(f"the teacher's logits in PyTorch are pycaffe_acc's within {off:.2g}")
        teacher, inputs = teacher.to(args.device), torch.from_numpy(held).to(args.device)
        net, dropped = shortened(teacher, STUDENT_BLOCKS, inputs[:CHOOSING])
        way = Distillation(teacher, pictures, inputs, mean, labelled,
                           Distilling(args.batch, args.steps, args.seed, args.mixup, args.labelled_share, args.label_weight))
        print(f"blocks dropped in stages 1 to 3 (from 1): {'; '.join(', '.join(str(i + 1) for i in gone) or 'none' for gone in dropped)}. "
              f"Before training, {way.score(net).text}", flush=True)
        return self._training.train(net, way, self._plan, self._checkpoint, args.resume), mean, held[:CHECKED]

    def run(self) -> None:
        """Train, write, compare, and judge if there is anything to judge by."""
        args = self._args
        net, mean, inputs = self.distilled() if args.distil else self.supervised()
        prototxt, weights = self._files.write_net(net.cpu(), args.out)
        from cifar_training.resnet import answers
        off = self._files.check_same(prototxt, weights, inputs, answers(net, self._torch.from_numpy(inputs)).numpy(), args.threads)
        print(f"wrote {prototxt} and {weights}; the logits of pycaffe_acc are PyTorch's within {off:.2g}")
        if args.test is not None:
            images, labels = read_labelled(args.test)
            found = self._files.caffe_logits(prototxt, weights, centred(images, mean), threads=args.threads).argmax(1)
            print(f"top-1 in FP32 over the {len(labels)} pictures of {args.test.name}: {100 * float((found == labels).mean()):.2f} %")


def main(words: list[str] | None = None) -> None:
    """Run the command line."""
    args = parser().parse_args(words)
    if importlib.util.find_spec("torch") is None:
        raise SystemExit("this script needs PyTorch: pip install torch (the package itself does without it)")
    try:
        Job(checked(args)).run()
    except CaffeError as e:
        raise SystemExit(str(e)) from e


if __name__ == "__main__":
    main()
