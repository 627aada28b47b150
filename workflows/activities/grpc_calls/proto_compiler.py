"""Reads the protos of gRPC services: compiles them, in a process of its own."""

import asyncio
import hashlib
import subprocess
import sys
import tempfile
from collections import OrderedDict
from importlib.metadata import distribution
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError

from workflows.activities.documents import FetchedDocument
from workflows.activities.grpc_calls.descriptors import Descriptors

_FILE = "document.proto"
_DESCRIPTORS = "descriptors"
_LARGEST_PROTO = 1024 * 1024
_LONGEST_SECONDS = 20
_KEPT = 50
_SHOWN_LINES = 5


class ProtoCompiler:
    """Makes descriptors of protos, and keeps them by content. A proto may import what comes with
    Protobuf, and Google's common protos. A document may also be a serialized FileDescriptorSet,
    as `protoc --include_imports --descriptor_set_out` writes it: it holds its imports.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, Descriptors] = OrderedDict()
        self._compiling = asyncio.Lock()

    async def descriptors(self, document: FetchedDocument) -> Descriptors:
        """What the document describes; raises TaskFault, a configuration error."""
        digest = hashlib.sha256(document.content).digest()
        async with self._compiling:  # who comes with the same content finds it afterwards
            if digest not in self._kept:
                files = await asyncio.to_thread(_files, document)
                self._kept[digest] = Descriptors(files)
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(digest)
            return self._kept[digest]


def _files(document: FetchedDocument) -> FileDescriptorSet:
    given = _parsed(document.content)
    if given is not None:
        return given
    if len(document.content) > _LARGEST_PROTO:
        raise document.fault(f"is no proto: it has more than {_LARGEST_PROTO} bytes")
    document.text()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / _FILE).write_bytes(document.content)
        try:
            done = subprocess.run(
                _command(),
                cwd=folder,
                env={},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_LONGEST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise document.fault("takes too long to compile") from None
        if done.returncode:
            lines = done.stderr.decode(errors="replace").splitlines()[:_SHOWN_LINES]
            raise document.fault(f"doesn't compile: {'; '.join(lines)}")
        return FileDescriptorSet.FromString((folder / _DESCRIPTORS).read_bytes())


def _command() -> list[str]:
    common = distribution("googleapis-common-protos").locate_file("")
    return [
        *(sys.executable, "-I", "-m", "grpc_tools.protoc"),
        "-I.",
        f"-I{common}",
        "--include_imports",
        f"--descriptor_set_out={_DESCRIPTORS}",
        _FILE,
    ]


def _parsed(content: bytes) -> FileDescriptorSet | None:
    """The set that the content is, None where it isn't one. A text hardly parses as one."""
    try:
        files = FileDescriptorSet.FromString(content)
    except DecodeError:
        return None
    return files if files.file and all(file.name for file in files.file) else None
