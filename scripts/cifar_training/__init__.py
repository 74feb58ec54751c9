"""What scripts/train_cifar_resnet50.py is made of. Modules that need PyTorch: `resnet`, `caffe_files`, `shortening`, `training`, `supervised`,
`distillation`; the others do without.
"""
from __future__ import annotations
