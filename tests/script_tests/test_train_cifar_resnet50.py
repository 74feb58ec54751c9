"""The training script of the CIFAR-10 ResNet-50: its options without PyTorch, its nets, trainings and files with it."""
from __future__ import annotations

import importlib
import os

import numpy as np
import pytest

from pycaffe_acc.errors import CheckError, MissingFileError, WeightsError

pytestmark = pytest.mark.usefixtures("scripts_on_path")


def part(name):
    """A module of scripts/cifar_training."""
    return importlib.import_module(f"cifar_training.{name}")


@pytest.fixture
def script():
    """scripts/train_cifar_resnet50.py."""
    return importlib.import_module("train_cifar_resnet50")


@pytest.fixture
def torch():
    """PyTorch on one thread."""
    found = pytest.importorskip("torch", reason="training needs PyTorch (pip install torch); the package does without it")
    found.set_num_threads(1)
    found.manual_seed(0)
    return found


@pytest.mark.parametrize(("words", "said"), [
    (["--distil"], "needs --teacher, --teacher-weights, --mean, --pictures"),
    (["--distil", "--teacher", "p", "--teacher-weights", "w", "--mean", "m", "--pictures", "a", "--pictures", "b", "--root", "r"],
     "--root is given 1"),
    (["--cifar", "d", "--epochs", "0"], "--epochs is 0"), (["--cifar", "d", "--rate", "nan"], "--rate is nan"),
    (["--cifar", "d", "--smoothing", "2"], "--smoothing is 2.0"), (["--cifar", "d", "--decay", "-1"], "--decay is -1.0"),
    (["--cifar", "d", "--threads", "0"], "--threads")])
def test_options_without_sense(script, words, said):
    with pytest.raises(CheckError, match=said):
        script.checked(script.parser().parse_args(words))


def test_defaults_of_each_way(script):
    args = script.checked(script.parser().parse_args(["--cifar", "d", "--batch", "7"]))
    assert (args.epochs, args.batch, args.rate) == (160, 7, 0.1)
    one, two = (script.recipe(script.checked(script.parser().parse_args(["--cifar", "d", *more]))) for more in ([], ["--out", "x", "--resume"]))
    assert one == two and one["batch"] == "128"


def test_without_torch_the_script_says_so(script, monkeypatch):
    monkeypatch.setattr(script.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="needs PyTorch: pip install torch"):
        script.main(["--cifar", "d"])


# ---- with PyTorch -------------------------------------------------------------------------------------------------------------------------------


def shaken(torch, blocks):
    """A net whose statistics, scales and biases are not those of a new one."""
    net = part("resnet").CifarResNet(blocks)
    with torch.no_grad():
        for _, p in net.numbered():
            p.conv.bias.normal_()
            p.norm.running_mean.normal_()
            p.norm.running_var.uniform_(0.5, 2)
            p.norm.weight.uniform_(0.5, 1)
            p.norm.bias.normal_()
    return net.eval()


def test_a_net_is_the_zoos(torch, tmp_path, rng):
    files, resnet = part("caffe_files"), part("resnet")
    net = shaken(torch, 8)
    inputs = rng.normal(size=(5, 3, 32, 32)).astype(np.float32)
    logits = resnet.answers(net, torch.from_numpy(inputs), 2)
    written = files.write_net(net, tmp_path / "made")
    assert [p.name for p in written] == ["cifar_resnet50.prototxt", "cifar_resnet50.caffemodel"]
    assert files.check_same(*written, inputs, logits.numpy()) <= 1e-3
    again = files.read_net(written[1])
    assert torch.equal(resnet.answers(again, torch.from_numpy(inputs), 2), logits)
    with torch.no_grad():
        again.stages[2][7].second.norm.bias[0] += 1
    with pytest.raises(CheckError, match="is another net than the module"):
        files.check_same(*written, inputs, resnet.answers(again, torch.from_numpy(inputs)).numpy())
    with pytest.raises(CheckError, match="has 2 blocks a stage; ResNet-50 has 8"):
        files.write_net(resnet.CifarResNet(2), tmp_path)


def test_weights_of_other_nets_are_refused(torch, tmp_path):
    from pycaffe_acc import zoo
    from pycaffe_acc.fake_caffemodel import create_fake_caffemodel
    files = part("caffe_files")
    create_fake_caffemodel(zoo.build("squeezenet_v1.1"), tmp_path / "s.caffemodel")
    with pytest.raises(WeightsError, match="holds 0 layers called Convolution"):
        files.read_net(tmp_path / "s.caffemodel")
    layers = [files.Weighted(f"Convolution{i}", [files.Values(np.zeros((16, 3, 3, 3)))]) for i in range(1, 10)]
    files.save_caffemodel(tmp_path / "c.caffemodel", layers, zoo.build("cifar_resnet50"))
    with pytest.raises(WeightsError, match="layer 'Convolution1' has 1 blobs; it must have 2"):
        files.read_net(tmp_path / "c.caffemodel")


def test_the_blocks_that_do_least_are_dropped(torch, rng):
    shortening = part("shortening")
    teacher = shaken(torch, 4)
    with torch.no_grad():
        for stage, block in ((0, 0), (1, 3), (2, 1), (2, 2)):
            teacher.stages[stage][block].second.norm.weight.zero_()
            teacher.stages[stage][block].second.norm.bias.zero_()
    inputs = torch.from_numpy(rng.normal(size=(8, 3, 32, 32)).astype(np.float32))
    wanted = part("resnet").answers(teacher, inputs)
    net, dropped = shortening.shortened(teacher, 3, inputs)
    assert dropped[:2] == [[0], [3]] and dropped[2][0] in (1, 2)
    torch.testing.assert_close(part("resnet").answers(net, inputs), wanted)
    assert [len(s) for s in net.stages] == [3, 3, 3] and len(teacher.stages[0]) == 4
    assert shortening.shortened(teacher, 2, inputs)[1][2] in ([1, 2], [2, 1])
    with pytest.raises(CheckError, match="at least the student's 5"):
        shortening.shortened(teacher, 5, inputs)


class Stopped(Exception):
    """Somebody pulled the plug."""


class Unplugged:
    """A way of training that ends in the middle of its second epoch."""

    def __init__(self, way):
        self._way = way

    def __getattr__(self, name):
        return getattr(self._way, name)

    def batches(self, epoch):
        """Those of the way, until the plug is pulled."""
        for batch in self._way.batches(epoch):
            yield batch
            if epoch == 1:
                raise Stopped


def test_a_training_is_taken_up_again(torch, tmp_path, cifar):
    supervised, training, resnet = part("supervised"), part("training"), part("resnet")
    _, images, labels = cifar
    way = supervised.Supervised(images, labels, np.full((3, 32, 32), 127, np.float32), supervised.Supervision(16, 3, 0.1, 5e-4))
    plan = training.Plan(3, 0.05, 1, "cpu", False)

    def new():
        torch.manual_seed(1)
        return resnet.CifarResNet(1)

    start = new().state_dict()
    straight = training.train(new(), way, plan, training.Checkpoint(tmp_path / "a.pt", {"seed": "3"})).state_dict()
    with pytest.raises(Stopped):
        training.train(new(), Unplugged(way), plan, training.Checkpoint(tmp_path / "b.pt", {"seed": "3"}))
    torch.manual_seed(9)
    resumed = training.train(resnet.CifarResNet(1), way, plan, training.Checkpoint(tmp_path / "b.pt", {"seed": "3"}), resume=True).state_dict()
    assert all(torch.equal(straight[k], resumed[k]) for k in straight)
    assert not torch.equal(start["dense.weight"], straight["dense.weight"])
    with pytest.raises(CheckError, match=r"of another training: seed is 3 there and 4 here"):
        training.Checkpoint(tmp_path / "b.pt", {"seed": "4"}).load()


class Trap:
    """Something that runs code when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("trapped",)


def test_checkpoints_run_no_code(torch, tmp_path, monkeypatch):
    training = part("training")
    monkeypatch.chdir(tmp_path)
    torch.save({"recipe": Trap()}, tmp_path / "bad.pt")
    with pytest.raises(CheckError, match=r"bad\.pt: is no checkpoint"):
        training.Checkpoint(tmp_path / "bad.pt", {}).load()
    assert not (tmp_path / "trapped").exists()
    with pytest.raises(MissingFileError, match=r"none\.pt"):
        training.Checkpoint(tmp_path / "none.pt", {}).load()


def test_learning_on_labels_learns(torch, tmp_path, cifar):
    supervised, training, resnet = part("supervised"), part("training"), part("resnet")
    _, images, labels = cifar
    bright = np.where((labels < 5)[:, None, None, None], images // 2, 128 + images // 2).astype(np.uint8)
    mean = bright.mean(0).astype(np.float32)
    way = supervised.Supervised(bright, (labels < 5).astype(np.int64), mean, supervised.Supervision(16, 0, 0.0, 0.0))
    net = training.train(resnet.CifarResNet(1), way, training.Plan(8, 0.05, 1, "cpu", True), training.Checkpoint(tmp_path / "c.pt", {}))
    found = resnet.answers(net, torch.from_numpy(part("labelled_images").centred(bright, mean))).argmax(1).numpy()
    assert (found == (labels < 5)).mean() > 0.9


def test_a_loss_that_is_no_number_is_told(torch, tmp_path, cifar):
    supervised, training, resnet = part("supervised"), part("training"), part("resnet")
    _, images, labels = cifar
    way = supervised.Supervised(images, labels, np.full((3, 32, 32), np.nan, np.float32), supervised.Supervision(16, 0, 0.0, 0.0))
    with pytest.raises(CheckError, match="epoch 1: the loss is nan in step 1; lower --rate"):
        training.train(resnet.CifarResNet(1), way, training.Plan(1, 0.05, 0, "cpu", False), training.Checkpoint(tmp_path / "c.pt", {}))


def test_distilling(torch, tmp_path, rng):
    distillation, training, shortening = part("distillation"), part("training"), part("shortening")
    teacher = shaken(torch, 2)
    teacher.first.norm.running_var *= 300 ** 2  # inputs are pixels
    mean = np.full((3, 32, 32), 127, np.float32)
    pictures = [rng.integers(0, 256, (40, 50, 3), np.uint8) for _ in range(4)]
    held = torch.from_numpy(part("labelled_images").centred(part("picture_crops").crops(pictures, 32, rng), mean))
    labelled = distillation.Labelled(rng.integers(0, 256, (6, 3, 32, 32), np.uint8), np.arange(6))
    way = distillation.Distillation(teacher, pictures, held, mean, labelled, distillation.Distilling(8, 10, 0, 0.5, 0.25, 0.0))
    first, again, other = (list(way.batches(epoch)) for epoch in (0, 0, 1))
    assert len(first) == 10 and all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0][0], other[0][0])
    labels = torch.cat([batch[1] for batch in first])
    assert 2 <= (labels >= 0).sum() <= 18 and all((batch[1][:6] == -1).all() for batch in first)
    inputs = first[0][0]
    assert float(way.loss(part("resnet").answers(teacher, inputs), inputs, first[0][1])) < 1e-4
    assert abs(way.score(teacher).value) < 1e-6 and "same answer 100.00 %" in way.score(teacher).text
    student, _ = shortening.shortened(teacher, 1, held)
    before = way.score(student).value
    plan = training.Plan(2, 1e-3, 0, "cpu", False)
    statistics = student.first.norm.running_mean.clone(), student.first.norm.weight.clone()
    trained = training.train(student, way, plan, training.Checkpoint(tmp_path / "d.pt", {}))
    assert way.score(trained).value < before
    assert torch.equal(trained.first.norm.running_mean, statistics[0]) and not torch.equal(trained.first.norm.weight, statistics[1])


def test_labels_count_where_they_are(torch, rng):
    distillation = part("distillation")
    teacher = shaken(torch, 1)
    pictures = [rng.integers(0, 256, (40, 50, 3), np.uint8)]
    inputs = torch.randn(4, 3, 32, 32)

    def loss(labels, weight):
        numbers = distillation.Distilling(4, 1, 0, 0.0, 0.0, weight)
        way = distillation.Distillation(teacher, pictures, inputs, np.zeros((3, 32, 32), np.float32), None, numbers)
        return float(way.loss(part("resnet").answers(teacher, inputs), inputs, torch.tensor(labels)))

    logits = part("resnet").answers(teacher, inputs)
    assert loss([-1, -1, -1, -1], 0.5) == pytest.approx(0, abs=1e-4)
    wanted = -float(torch.log_softmax(logits, 1)[2, 7]) / 4
    assert loss([-1, -1, 7, -1], 0.5) == pytest.approx(0.5 * wanted, rel=1e-3, abs=1e-4)


def test_the_script_trains_and_writes(torch, script, cifar, tmp_path, capsys):
    folder, images, labels = cifar
    np.savez(tmp_path / "test.npz", images=images[:8], labels=labels[:8])
    words = ["--cifar", str(folder), "--out", str(tmp_path / "out"), "--epochs", "1", "--batch", "32", "--threads", "1"]
    script.main([*words, "--test", str(tmp_path / "test.npz")])
    said = capsys.readouterr().out
    assert "64 labelled pictures" in said and "epoch 1 of 1: loss" in said and "top-1 in FP32 over the 8 pictures of test.npz:" in said
    written = {p.name for p in (tmp_path / "out").iterdir()}
    assert written == {"cifar_resnet50.prototxt", "cifar_resnet50.caffemodel", "cifar_resnet50.pt", "mean.npy"}
    mean = np.load(tmp_path / "out" / "mean.npy")
    np.testing.assert_allclose(mean, images.mean(0), atol=1e-3)
    before = (tmp_path / "out" / "cifar_resnet50.caffemodel").read_bytes()
    script.main([*words, "--resume"])
    assert (tmp_path / "out" / "cifar_resnet50.caffemodel").read_bytes() == before, "a training that had ended is only written again"
    with pytest.raises(SystemExit, match="is of another training: batch is 32 there and 16 here"):
        script.main([*words[:-3], "16", "--threads", "1", "--resume"])


def test_an_unknown_device_is_told(torch, script, cifar, tmp_path):
    with pytest.raises(SystemExit, match="--device is 'warp9', which PyTorch cannot use here"):
        script.main(["--cifar", str(cifar[0]), "--out", str(tmp_path), "--device", "warp9"])


# ---- on the trained teacher ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def teacher(data_dir):
    """Prototxt and weights of CIFAR-10 ResNet-56."""
    folder = data_dir / "models" / "cifar10_resnet"
    return folder / "res56_cifar_deploy.prototxt", folder / "ResNet_56.caffemodel"


def test_the_teacher_is_pycaffe_accs(torch, teacher, data_dir):
    labelled, files = part("labelled_images"), part("caffe_files")
    images, labels = labelled.read_labelled(data_dir / "cifar10" / "train500_calibration.npz")
    inputs = labelled.centred(images[:100], labelled.read_mean(data_dir / "cifar10" / "mean.npy"))
    net = files.read_net(teacher[1])
    assert [len(s) for s in net.stages] == [9, 9, 9]
    logits = part("resnet").answers(net, torch.from_numpy(inputs)).numpy()
    assert files.check_same(*teacher, inputs, logits) <= 1e-3
    assert (logits.argmax(1) == labels[:100]).mean() > 0.8  # the pictures are re-encoded
    folded = part("resnet").answers(part("distillation").folded(net), torch.from_numpy(inputs)).numpy()
    assert np.abs(folded - logits).max() < 1e-2


def test_the_script_distils(torch, script, teacher, data_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script, "HELD", 64)
    monkeypatch.setattr(script, "CHOOSING", 16)
    listed = (data_dir / "ilsvrc_val" / "val.txt").read_text(encoding="utf-8").splitlines()[:24]
    (tmp_path / "list.txt").write_text("\n".join(listed), encoding="utf-8")
    script.main(["--distil", "--teacher", str(teacher[0]), "--teacher-weights", str(teacher[1]), "--mean", str(data_dir / "cifar10" / "mean.npy"),
                 "--pictures", str(tmp_path / "list.txt"), "--root", str(data_dir / "ilsvrc_val" / "img"),
                 "--labelled", str(data_dir / "cifar10" / "train500_calibration.npz"), "--out", str(tmp_path / "out"),
                 "--epochs", "1", "--steps", "2", "--batch", "16", "--threads", "1"])
    said = capsys.readouterr().out
    assert "22 pictures to learn from, 64 crops of 2 others held out, 500 labelled pictures" in said
    assert "the teacher's logits in PyTorch are pycaffe_acc's within" in said and "blocks dropped in stages 1 to 3" in said
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"cifar_resnet50.prototxt", "cifar_resnet50.caffemodel", "cifar_resnet50.pt"}
    assert [len(s) for s in part("caffe_files").read_net(tmp_path / "out" / "cifar_resnet50.caffemodel").stages] == [8, 8, 8]
