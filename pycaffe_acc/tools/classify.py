"""`classify`: the best classes of pictures."""
from __future__ import annotations

import argparse

import numpy as np

from pycaffe_acc.evaluation.evaluate import class_scores, score_output
from pycaffe_acc.evaluation.labels import check_labels, read_labels
from pycaffe_acc.evaluation.top_k import top_k
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.model_arguments import add_engine, add_model, check_engine, image_input, open_net, positive, set_batch
from pycaffe_acc.tools.preprocess_arguments import add_preprocess, open_preprocess

NAME = "classify"
HELP = "top-5 classes of pictures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Net, pictures, labels."""
    add_model(parser)
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="picture files")
    parser.add_argument("--labels", metavar="F", help="names of the classes, one a line")
    parser.add_argument("--top", type=positive, default=5, metavar="K", help="how many classes (default 5)")
    parser.add_argument("--output", metavar="BLOB", help="the blob that holds the scores")
    add_engine(parser)
    add_preprocess(parser)


def run(args: argparse.Namespace) -> int:
    """Classify picture by picture, in batches."""
    check_engine(args)
    preprocess = open_preprocess(args)
    net = open_net(args)
    if args.batch is None:
        set_batch(net, 1)
    source, output = image_input(net), score_output(net, args.output)
    shape = net.blobs[source].shape
    names = None
    if args.labels is not None:
        names = read_labels(args.labels)
        check_labels(names, net.blobs[output].shape[1], args.labels)
    results = []
    for start in range(0, len(args.images), shape[0]):
        paths = args.images[start:start + shape[0]]
        values = net.blobs[source].data
        for row, path in enumerate(paths):
            values[row] = preprocess.apply(path, shape)
        net.forward()
        scores = class_scores(np.array(net.blobs[output].data[:len(paths)]))
        for path, row_scores, classes in zip(paths, scores, top_k(scores, args.top), strict=True):
            results.append({"image": path, "classes": [{"class": int(c), "score": float(row_scores[c]), "label": names[c] if names else None}
                                                       for c in classes]})
    document = {"model": args.model, "precision": args.precision, "preprocess": preprocess.describe(), "images": results}
    emit(args, document, _text(results, preprocess.describe()))
    return 0


def _text(results: list[dict], described: str) -> str:
    lines = []
    for result in results:
        lines.append(result["image"])
        lines += [f"  {row['score']:.4f}  {row['label'] if row['label'] is not None else 'class ' + str(row['class'])}" for row in result["classes"]]
    return "\n".join([*lines, f"preprocessing {described}"])
