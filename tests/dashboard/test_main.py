import socket

import pytest

from dashboard import __main__ as launcher


def test_a_taken_port_is_named_in_one_sentence(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert launcher.main(["--port", str(port)]) == 2
    message = capsys.readouterr().err
    assert str(port) in message
    assert message.count("\n") == 1
    assert "make run PORT=" in message


def test_a_port_out_of_range_is_refused(capsys):
    assert launcher.main(["--port", "70000"]) == 2
    assert "70000 is not a port" in capsys.readouterr().err


def test_a_free_port_starts_the_server_on_this_machine_only(monkeypatch, capsys):
    started = {}
    monkeypatch.setattr(launcher.os, "execve", lambda path, command, environment: started.update(command=command))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launcher.main(["--port", str(port)])
    assert "127.0.0.1" in started["command"]
    assert str(port) in started["command"]
    assert f"http://127.0.0.1:{port}" in capsys.readouterr().out
    command = started["command"]
    hosts = [command[at + 1] for at, word in enumerate(command) if word == "--server.allowedHosts"]
    assert hosts == ["localhost", "127.0.0.1", "::1"]


def test_help_names_the_defaults(capsys):
    with pytest.raises(SystemExit) as stop:
        launcher.main(["--help"])
    assert stop.value.code == 0
    assert "--port" in capsys.readouterr().out
