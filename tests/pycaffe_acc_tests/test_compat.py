"""`import caffe` meaning this package: in this process, in scripts, and beside another Caffe. Subprocesses keep this process clean."""
from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def _python(*args: str, cwd=None, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, timeout=60, cwd=cwd, env={**ENV, **env}, check=False)


def _code(text: str, **env: str) -> str:
    done = _python("-c", textwrap.dedent(text), **env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_of_pycaffe():
    out = _code("""
        import pycaffe_acc
        assert pycaffe_acc.install_as_caffe() is pycaffe_acc.install_as_caffe()
        import caffe, caffe.io, caffe.proto, caffe.proto.caffe_pb2 as pb, caffe.draw, caffe.net_spec, caffe.pycaffe
        import caffe.classifier, caffe.detector, caffe.coord_map, caffe._caffe
        from caffe.proto import caffe_pb2
        from caffe import layers as L, params as P, to_proto, Net, Classifier, Detector
        from caffe.coord_map import crop
        from caffe.pycaffe import Net as N, SGDSolver
        from caffe._caffe import layer_type_list, has_nccl
        assert caffe is pycaffe_acc and pb is caffe_pb2 and N is Net is pycaffe_acc.Net and P.Pooling.AVE == 1
        assert caffe.io.Transformer and caffe.draw.draw_net and caffe.pycaffe.Net is Net and not has_nccl()
        print(L.ReLU(L.Input()).to_proto().layer[1].name)
    """)
    assert out == "ReLU1\n"


def test_no_second_copies():
    out = _code("""
        import pycaffe_acc
        pycaffe_acc.install_as_caffe()
        try:
            import caffe.net
        except ModuleNotFoundError as e:
            print(e)
    """)
    assert "no module of pycaffe" in out and "caffe.io" in out


def test_refuses_to_replace_a_real_caffe(tmp_path):
    folder = tmp_path / "caffe"
    folder.mkdir()
    (folder / "__init__.py").write_text("class Net: pass\n")
    (folder / "io.py").write_text("real = True\n")
    out = _code(f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        import caffe, caffe.io, pycaffe_acc
        try:
            pycaffe_acc.install_as_caffe()
        except ImportError as e:
            print(e)
        assert sys.modules["caffe"] is caffe and not hasattr(pycaffe_acc.io, "real")
        pycaffe_acc.install_as_caffe(force=True)
        import caffe.io
        print(caffe.__name__, hasattr(caffe.io, "real"))
    """)
    assert "another Caffe is imported already" in out and out.endswith("pycaffe_acc False\n")


def test_a_module_with_messages_only_is_no_real_caffe():
    assert _code("""
        import sys, types
        sys.modules["caffe"] = types.ModuleType("caffe")
        import pycaffe_acc
        pycaffe_acc.install_as_caffe()
        import caffe
        print(caffe.__name__)
    """) == "pycaffe_acc\n"


def test_python_layers_are_switched_on_unless_told():
    code = """
        import pycaffe_acc
        from pycaffe_acc import net_source
        pycaffe_acc.install_as_caffe(allow_python_layers={})
        print(net_source._python_layers_allowed)
    """
    assert _code(code.format(False)) == "False\n" and _code(code.format(True)) == "True\n"


def test_the_stand_in_folder():
    from pycaffe_acc.compat import stand_in_folder
    path = os.pathsep.join([str(stand_in_folder()), ENV["PYTHONPATH"]])
    out = _code("import caffe; from caffe import io; print(caffe.__name__, caffe.Net.__module__)", PYTHONPATH=path)
    assert out == "pycaffe_acc pycaffe_acc.net\n"


# ---- python -m pycaffe_acc ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def script(tmp_path):
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "helper.py").write_text("value = 42\n")
    path = folder / "job.py"
    path.write_text(textwrap.dedent("""
        import sys
        import caffe
        import helper
        if __name__ == "__main__":
            caffe.set_mode_cpu()
            print(sys.argv, helper.value, caffe.TEST)
            sys.exit(int(sys.argv[1]))
    """))
    return path


@pytest.mark.parametrize("code", [0, 7])
def test_script(script, tmp_path, code):
    done = _python("-m", "pycaffe_acc", str(script), str(code), "--flag", cwd=tmp_path)
    assert done.stdout == f"{[str(script), str(code), '--flag']} 42 1\n" and done.returncode == code and done.stderr == ""


def test_module_and_command(script):
    done = _python("-m", "pycaffe_acc", "-m", "job", "3", cwd=script.parent)
    assert done.returncode == 3 and done.stdout.endswith("'3'] 42 1\n") and "job.py" in done.stdout
    done = _python("-m", "pycaffe_acc", "-c", "import sys, caffe; print(sys.argv, caffe.TRAIN, __name__); sys.exit(5)", "x", cwd=script.parent)
    assert done.stdout == "['-c', 'x'] 0 __main__\n" and done.returncode == 5


def test_exceptions_pass_through(script):
    script.write_text("import caffe\ncaffe.Net('nowhere.prototxt', caffe.TEST)\n")
    done = _python("-m", "pycaffe_acc", str(script))
    assert done.returncode == 1 and "nowhere.prototxt" in done.stderr and "MissingFileError" in done.stderr


def test_child_processes_find_caffe_too(script):
    script.write_text(textwrap.dedent("""
        import multiprocessing, subprocess, sys
        import caffe

        def work(x):
            return caffe.__name__, x + 1

        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(pool.map(work, [1]))
            print(subprocess.run([sys.executable, "-c", "import caffe; print(caffe.__name__)"], capture_output=True, text=True).stdout)
    """))
    done = _python("-m", "pycaffe_acc", str(script))
    assert done.stdout.split("\n")[:2] == ["[('pycaffe_acc', 2)]", "pycaffe_acc"], done.stderr


def test_missing_script_and_missing_argument():
    done = _python("-m", "pycaffe_acc", "nowhere.py")
    assert done.returncode == 1 and "can't open file 'nowhere.py'" in done.stderr
    done = _python("-m", "pycaffe_acc", "-m")
    assert done.returncode == 1 and "argument expected after -m" in done.stderr


def test_everything_else_is_the_command_line():
    done = _python("-m", "pycaffe_acc")
    assert done.returncode == 0 and "pycaffe-acc" in done.stdout
    assert _python("-m", "pycaffe_acc", "no-such-verb").returncode == 2


def test_install_in_this_process(monkeypatch):
    import pycaffe_acc
    from pycaffe_acc import compat, net_source
    kept = {n: m for n, m in sys.modules.items() if n == "caffe" or n.startswith("caffe.")}
    for name in kept:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(net_source, "_python_layers_allowed", False)
    try:
        assert compat.install_as_caffe() is sys.modules["caffe"] is pycaffe_acc
        assert net_source._python_layers_allowed
        with pytest.raises(ModuleNotFoundError, match="no module of pycaffe"):
            __import__("caffe.nothing")
        monkeypatch.setitem(sys.modules, "caffe", type(sys)("caffe"))
        sys.modules["caffe"].Net = object
        with pytest.raises(compat.RealCaffeError, match="somewhere"):
            compat.install_as_caffe()
    finally:
        for name in [n for n in sys.modules if n == "caffe" or n.startswith("caffe.")]:
            del sys.modules[name]
        sys.modules.update(kept)


def test_script_arguments():
    from pycaffe_acc.script_runner import is_script
    assert is_script(["a.py"]) and is_script(["-m", "x"]) and is_script(["-c", "1"]) and not is_script(["classify"]) and not is_script([])
