"""`python -m admin` is the command `tingjian`."""

from admin.cli import main

if __name__ == "__main__":
    main(prog_name="tingjian")
