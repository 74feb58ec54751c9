"""The runtime alone: memory, a function, queues and notifiers, without Caffe.

  python examples/queues_and_notifiers.py
"""
from __future__ import annotations

import numpy as np

import cnrt
from cnml.kernels import find  # offers kernels to the runtime; an installed package does so by an entry point


def main() -> None:
    """Softmax on two queues, the second waiting for the first."""
    device = cnrt.get("host")
    print(f"{device.name}: {device.spec.cores} cores; kernel found: {find('softmax_f32') is not None}")

    rows, classes = 4096, 1000
    x = device.malloc(4 * rows * classes)
    y = device.malloc(4 * rows * classes)
    z = device.malloc(4 * rows * classes)
    x.array(np.float32, (rows, classes))[...] = np.random.default_rng(0).standard_normal((rows, classes))

    # a function is a table of kernel calls; softmax_f32 takes input, output, the extents before, of and after the axis, and working memory
    scratch = cnrt.Scratch(2048)
    first = cnrt.Function("softmax", [cnrt.Instruction("softmax_f32", (x, y, rows, classes, 1, scratch))])
    second = cnrt.Function("softmax of softmax", [cnrt.Instruction("softmax_f32", (y, z, rows, classes, 1, scratch))])

    with cnrt.Queue(device) as a, cnrt.Queue(device) as b:
        a.invoke(first, cores=1)  # the first run compiles the kernel
        a.sync()

        start, middle, end = cnrt.Notifier(), cnrt.Notifier(), cnrt.Notifier()
        a.place(start)
        a.invoke(first, cores=device.spec.cores)
        a.place(middle)
        b.wait(middle)  # queue b goes on when queue a has come to the marker
        b.invoke(second, cores=device.spec.cores)
        b.place(end)
        b.sync()
        a.sync()
        print(f"first {cnrt.duration_us(start, middle):.0f} µs, both {cnrt.duration_us(start, end):.0f} µs "
              f"({'simulated' if end.simulated else 'measured'})")

    sums = z.array(np.float32, (rows, classes)).sum(axis=1)
    print(f"every row sums to 1: {np.allclose(sums, 1, atol=1e-5)}")


if __name__ == "__main__":
    main()
