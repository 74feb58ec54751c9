"""Packaging: what is installed, what it needs, which commands it brings. Tool configuration is in pyproject.toml."""
from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
VERSION = re.search(r'^VERSION = "([^"]+)"', (HERE / "pycaffe_acc/version.py").read_text(encoding="utf-8"), re.MULTILINE)
if VERSION is None:
    raise SystemExit("pycaffe_acc/version.py has no line VERSION = \"…\"")

DATA = ["lmdb>=1.4", "h5py>=3.8"]
EXTRAS = {
    "data": DATA,
    "report": ["matplotlib>=3.7", "jinja2>=3.1"],
    "onnx": ["onnx>=1.16"],
    "cluster": ["ray>=2.9"],
    "test": [*DATA, "pytest>=8", "pytest-timeout>=2.2", "pytest-cov>=5", "hypothesis>=6.90", "ruff>=0.5", "mypy>=1.10", "import-linter>=2.1",
             "onnx>=1.16", "onnxruntime>=1.17", "opencv-python-headless>=4.9,<5", "jinja2>=3.1"],
    "bench": ["openvino>=2024.0", "onnxruntime>=1.17", "opencv-python-headless>=4.9,<5"],
    # `make schema`; its generated code is not shipped, only the descriptor set
    "schema": ["grpcio-tools>=1.60"],
}

setup(
    name="pycaffe-acc",
    version=VERSION.group(1),
    description="Caffe models on the CPU at native speed, and the workflow of an AI accelerator's software stack, in NumPy and Numba",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["cnrt", "cnrt.*", "cnml", "cnml.*", "pycaffe_acc", "pycaffe_acc.*"]),
    package_data={"pycaffe_acc": ["py.typed", "proto/*.desc", "demo_data/*", "demo_data/images/*", "suite/*.json", "suite/suites/*.json",
                                  "report_page/page.*"], "cnml": ["py.typed"], "cnrt": ["py.typed", "devices/specs/*.json"]},
    include_package_data=False,
    install_requires=["numpy>=1.26", "numba>=0.63", "protobuf>=4.25", "Pillow>=10.0", "tqdm>=4.60"],
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": ["pycaffe-acc=pycaffe_acc.tools.main:main"],
        # cnrt finds kernels by name through this group and never imports a module that a model file names
        "cnrt.kernels": ["cnml=cnml.kernels"],
        # and so it finds who lowers the programs of offline models
        "cnrt.programs": ["cnml=cnml.offline"],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    zip_safe=False,
)
