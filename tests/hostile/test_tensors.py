"""Sections 3 and 4 again for torch: tensors that lie, and tensors that are not numbers on this machine."""

import json

import pytest
from conftest import CHECKS, SOLVED, hand_in, make_tiny

TORCH_CHECKS = CHECKS.replace("import numpy as np", "import torch").replace(
    "rng.normal(size=(3, 2))", "torch.from_numpy(rng.normal(size=(3, 2)))"
)
SUBCLASS = """class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True


"""
REFUSED = "cannot be compared"
ANSWERS = {  # name -> (source of double, points, sentence)
    "l03-subclass": (SUBCLASS + "def double(x):\n    return x.as_subclass(Yes)", 0.0, REFUSED),
    "l11-sparse": ("def double(x):\n    return (2 * x).to_sparse()", 0.0, REFUSED),
    "l11-meta": ("def double(x):\n    return (2 * x).to('meta')", 0.0, REFUSED),
    "l11-quantized": (
        "def double(x):\n    return torch.quantize_per_tensor((2 * x).float(), 0.1, 0, torch.qint8)",
        0.0,
        REFUSED,
    ),
    "l11-complex": ("def double(x):\n    return 2 * x + 0j", 0.0, "complex"),
    "l11-nested": ("def double(x):\n    return torch.nested.nested_tensor([2 * x, x])", 0.0, REFUSED),
    "l11-grad": ("def double(x):\n    return 2 * x.clone().requires_grad_()", 2.0, ""),
    "l11-parameter": ("def double(x):\n    return torch.nn.Parameter(2 * x)", 2.0, ""),
    "l11-view": ("def double(x):\n    return (2 * x).t().contiguous().t()", 2.0, ""),
    "l11-conjugate": ("def double(x):\n    return torch.complex(2 * x, x).conj().real", 2.0, ""),
    "l11-bfloat16": ("def double(x):\n    return torch.full(x.shape, 3.0, dtype=torch.bfloat16)", 0.0, ""),
    "l11-default": ("torch.set_default_dtype(torch.float16)\n\ndef double(x):\n    return 2 * x", 2.0, ""),
    "t10-threads": ("torch.set_num_threads(64)\ntorch.manual_seed(0)\n\ndef double(x):\n    return 2 * x", 2.0, ""),
    "l08-pickle": (
        "def double(x):\n    torch.save({'a': open}, 'a.pt')\n    return torch.load('a.pt', weights_only=False)",
        0.0,
        "",
    ),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory, gradus):
    root = tmp_path_factory.mktemp("tensors")
    more = "frameworks = ['numpy', 'torch']\n"
    course = make_tiny(root, settings=more, checks_text=TORCH_CHECKS)
    for student, (source, _, _) in ANSWERS.items():
        hand_in(root / "submitted", student, course, {**SOLVED, "double-answer": f"import torch\n\n{source}"})
    gradus("grade", "tiny", cwd=root)
    return root / "graded" / "tiny"


@pytest.mark.parametrize("student", ANSWERS)
def test_a_tensor_gets_what_it_earns(graded, student):
    """What is not dense numbers is refused with a sentence; what is only unusual is taken."""
    result = json.loads((graded / student / "result.json").read_text())
    points = {q["id"]: q["points"] for q in result["questions"]}
    _, expected, sentence = ANSWERS[student]
    assert (points["double"], points["triple"]) == (expected, 3.0), json.dumps(result, indent=1)
    assert sentence in json.dumps(result)
