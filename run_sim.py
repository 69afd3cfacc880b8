"""Run the simulator: `python run_sim.py` does the main job, `--help` lists the rest."""

from sim.cli import main

if __name__ == "__main__":
    main()
