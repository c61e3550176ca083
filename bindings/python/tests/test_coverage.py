"""Every function of the header is used by the idiomatic layer, or there is a reason why not; generated files are what generate.py writes."""
import ast
import json
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
PACKAGE = HERE.parent / "src" / "mpt"
DESCRIPTION = ROOT / "abi" / "mpt.json"
pytestmark = pytest.mark.skipif(not DESCRIPTION.exists(), reason="the tests run outside of the repository")

# What the layer does through a function of support.h, and what it has no use for.
ELSEWHERE = {"mpt_tensor_wrap": ["wrap", "wrap_buffer"], "mpt_tensor_to_dlpack": ["to_dlpack"],
             "mpt_tensor_to_dlpack_unversioned": ["to_dlpack"], "mpt_tensor_from_dlpack": ["from_dlpack"],
             "mpt_tensor_from_dlpack_unversioned": ["from_dlpack"], "mpt_custom_op": ["custom_op"], "mpt_layer_custom": ["layer_custom"],
             "mpt_state_save_to": ["state_save_to"], "mpt_state_load_from": ["state_load_from"], "mpt_custom_op_desc_init": ["custom_op"],
             "mpt_custom_layer_desc_init": ["layer_custom"]}
REASONS = {f"mpt_{handle}_{verb}": "the core retains and releases; an object's end or close() gives its handle back"
           for handle in ("context", "tensor", "layer", "policy", "scaler", "optimizer", "program", "average", "state") for verb in ("retain", "release")}


def used():
    """Names that are taken from _core anywhere but in the generated core."""
    names = set()
    for file in PACKAGE.glob("*.py"):
        if file.name in ("swig_core.py", "_core.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "_core":
                names.add(node.attr)
    return names


def functions():
    return [f["name"] for f in json.loads(DESCRIPTION.read_text(encoding="utf-8"))["functions"]]


def test_every_function_is_reached():
    names = used()
    missing = [f for f in functions() if f not in names and f not in REASONS and not any(n in names for n in ELSEWHERE.get(f, []))]
    assert not missing, f"not in the idiomatic layer, and no reason given: {missing}"


def test_reasons_are_needed():
    known, names = set(functions()), used()
    assert not [f for f in [*REASONS, *ELSEWHERE] if f not in known]
    assert not [f for f in REASONS if f in names]


def test_generated_files_are_current(tmp_path):
    subprocess.run([sys.executable, HERE.parent / "generate.py", tmp_path], check=True)
    for made in tmp_path.iterdir():
        assert made.read_text() == (PACKAGE / made.name).read_text(), f"{made.name} differs: run generate.py"


def test_every_enum_value_is_there():
    import mpt
    sys.path.insert(0, str(HERE.parent))
    import generate
    for enum in json.loads(DESCRIPTION.read_text(encoding="utf-8"))["enums"]:
        if enum["name"]:
            cls = getattr(mpt, generate.CLASSES[enum["name"]])
            assert [m.value for m in cls] == [v for k, v in enum["values"].items() if not k.endswith("FORCE_32")]


def test_everything_public_has_a_doc():
    import mpt
    for name in dir(mpt):
        thing = getattr(mpt, name)
        if name.startswith("_") or getattr(thing, "__module__", "").partition(".")[0] != "mpt":
            continue
        assert getattr(thing, "__doc__", None), f"mpt.{name} has no documentation"
