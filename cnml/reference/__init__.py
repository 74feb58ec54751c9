"""The definition of every operator in plain NumPy, float64: the oracle of the tests and the fallback without kernels."""
