"""Print what an image holds, as labels; run inside it."""

import platform
from importlib import metadata

from pcm import __version__
from pcm.run_dir import SCHEMA_VERSION

PACKAGES = ("torch", "lightning", "torchvision", "mlflow-skinny", "neptune", "tensorboard", "wandb")

print("pcm.version", __version__)
print("pcm.schema", SCHEMA_VERSION)
print("pcm.python", platform.python_version())
for package in metadata.distributions():
    if package.metadata["Name"] in PACKAGES:
        print(f"pcm.{package.metadata['Name']}", package.version)
