"""Register tiles, each one Numba intrinsic."""
