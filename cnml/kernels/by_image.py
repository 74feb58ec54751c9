"""A run of kernels for one image after another, so that what lies between them stays in cache.

Arguments: images, rows, program, scratch base, scratch step, values. The program has for each row (a kernel call) two words, the number of its first
value and of its words, then for each value two: what an image adds to it, and 1 if it counts from the task's scratch on. A row's first value is its
kernel's address, the others are the words of its argument block. See `cnml.ops.by_image`.
"""
from __future__ import annotations

from cnml.kernels import kernel
from cnml.kernels.argblock import i64_at, word
from cnml.ukernels.sync import call_kernel

IMAGES, ROWS, PROGRAM, SCRATCH, SCRATCH_STEP, VALUES = range(6)


@kernel("by_image", exact=True)
def by_image(args, task_id, task_dim):
    """Tasks take images; each row is called as if it were alone. The argument block of a row lies at the beginning of the task's scratch."""
    images, rows, program = word(args, IMAGES), word(args, ROWS), word(args, PROGRAM)
    scratch = word(args, SCRATCH) + task_id * word(args, SCRATCH_STEP)
    moves = program + 16 * rows
    for image in range(images * task_id // task_dim, images * (task_id + 1) // task_dim):
        for row in range(rows):
            first, count = word(program, 2 * row), word(program, 2 * row + 1)
            block = i64_at(scratch, count)
            for i in range(count):
                at = first + 1 + i
                block[i] = word(args, VALUES + at) + image * word(moves, 2 * at) + scratch * word(moves, 2 * at + 1)
            call_kernel(word(args, VALUES + first), scratch, 0, 1)
