"""torch, or one sentence that says how to get it. What needs torch imports this first."""

try:
    import torch  # noqa: F401  (only whether it is there)
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ModuleNotFoundError(
        "this part of emvae needs torch, which is not installed: pip install 'emvae[torch]' "
        "(on Linux that is 2.7 GB with CUDA; for the CPU alone 0.2 GB: "
        "pip install uv && uv pip install --torch-backend=cpu torch)",
        name="torch",
    ) from error
