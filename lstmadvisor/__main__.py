"""`python -m lstmadvisor`, the same as the command `lstmadvisor`."""

from lstmadvisor.cli import main

if __name__ == "__main__":
    main()
