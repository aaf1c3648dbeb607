"""The Dockerfile, built on the image that is here, for a registry's is not needed to see that it works."""

import contextlib
import io
import tarfile
from pathlib import Path
from typing import Any

import hub
from hub.sandbox import Limits, Program, Verdict
from hub_docker.sandbox import IMAGE

ROOT = Path(__file__).resolve().parents[3]
NAME = "hub-test-dockerfile"


def test_the_dockerfile(engine_client: Any) -> None:
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        tar.add(ROOT / "sandboxes/hub_docker/Dockerfile", "Dockerfile")
        for file in [*ROOT.glob("hub/*.py"), *ROOT.glob("sandboxes/hub_local/*.py")]:
            tar.add(file, str(file.relative_to(ROOT)))
    context.seek(0)
    engine_client.images.build(
        fileobj=context,
        custom_context=True,
        tag=NAME,
        buildargs={"BASE": IMAGE},
        network_mode="none",
        rm=True,
    )
    try:
        with contextlib.closing(hub.open_sandbox("docker", image=NAME, slots=1)) as sandbox:
            program = Program("def f(): return 1", tests="assert f() == 1")
            assert sandbox.run(program, Limits()).verdict is Verdict.PASSED
    finally:
        engine_client.images.remove(NAME, force=True)
