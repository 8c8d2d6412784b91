"""``python -m vampprompt`` is the command, wherever that is not found."""

from vampprompt_cli.main import run

if __name__ == "__main__":
    run()
