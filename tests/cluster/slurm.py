"""A real Slurm cluster of virtual nodes on one machine, for the tests.

    python -m tests.cluster.slurm      start one, print how to use it, stop it on Ctrl-C

All daemons keep their state in one folder and talk over free ports, so that several
clusters, or a site's own, can live side by side.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import psutil

PACKAGES = ["slurmctld", "slurmd", "slurm-client", "munge"]
ACCOUNTING_PACKAGES = ["slurmdbd", "mariadb-server"]


def missing_programs(*, accounting: bool) -> list[str]:
    """The daemons that are not installed here."""
    wanted = ["slurmctld", "slurmd", "sbatch", "munged"]
    wanted += ["slurmdbd", "mariadbd"] if accounting else []
    return [name for name in wanted if shutil.which(name) is None]


def install(*, accounting: bool = False) -> None:
    """Install Slurm from the distribution's packages where it is missing.

    Raises:
        RuntimeError: this machine cannot: not root, no apt, or packages not reachable.
    """
    if os.geteuid() != 0:
        raise RuntimeError("only root can bring one up")
    if not missing_programs(accounting=accounting):
        return
    if shutil.which("apt-get") is None:
        raise RuntimeError("it is not installed, and there is no apt-get")
    packages = PACKAGES + (ACCOUNTING_PACKAGES if accounting else [])
    # The packages' own services must not start: a cluster of ours brings its own.
    policy = Path("/usr/sbin/policy-rc.d")
    mine = not policy.exists()
    if mine:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
        ):
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    finally:
        if mine:
            policy.unlink()


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for `condition`, or fail saying `what` did not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


@dataclass
class SlurmCluster:
    """Four nodes of 4 CPUs and 2 fake GPUs; partitions `gpu` (preemptable) and `urgent`.

    Attributes:
        tracking: `cgroup`, `linuxproc` or `pgid`: how the site follows processes.
        accounting: with slurmdbd and MariaDB, so that `sacct` works.
        settings: further lines of slurm.conf.
        is_ours: whether the tests may do with it as they like.
        partition: where jobs go.
    """

    tracking: str = "cgroup"
    accounting: bool = False
    settings: list[str] = field(default_factory=list)
    is_ours: ClassVar[bool] = True
    partition: str = "gpu"
    nodes: int = 4
    grace_seconds: int = 10
    folder: Path = field(init=False)
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> "SlurmCluster":
        self.folder = Path(tempfile.mkdtemp(prefix="pcm-slurm-"))
        self.folder.chmod(0o755)
        try:
            self._start()
        except BaseException:
            logs = [
                f"--- {path.name}\n{path.read_text()[-2000:]}" for path in self.folder.glob("*.out")
            ]
            self.stop()
            print("\n".join(logs))
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs to reach this cluster."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def run(self, *command: str, check: bool = True) -> str:
        """Run a Slurm client as root and return what it prints."""
        done = subprocess.run(
            command,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{command} failed ({done.returncode}): {done.stderr}")
        return done.stdout

    def start_controller(self) -> None:
        """Start slurmctld and wait until it answers."""
        self._spawn("slurmctld", ["slurmctld", "-D", "-i"])
        wait_until(lambda: "UP" in self.run("scontrol", "ping", check=False), 30, "slurmctld up")

    def start_node(self, name: str) -> None:
        """Start one node's slurmd."""
        self._spawn(name, ["slurmd", "-D", "-N", name, "-c"])

    def revive_node(self, name: str) -> None:
        """Start a node that was down, and have jobs run there again.

        It may come back by itself as it registers, and then there is nothing to resume.
        """
        self.start_node(name)
        resume = ("scontrol", "update", f"NodeName={name}", "State=RESUME")
        wait_until(lambda: self._is_up(name) or self._succeeds(resume), 60, f"{name} up")

    def _is_up(self, name: str) -> bool:
        state = self.run("sinfo", "-h", "-n", name, "-o", "%T", check=False).split()
        return bool(state) and set(state) <= {"idle", "mixed", "allocated"}

    def kill(self, daemon: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End a daemon as a fault would: `slurmctld`, or a node's name."""
        process = self.daemons.pop(daemon)
        process.send_signal(number)
        process.wait(timeout=30)

    @contextmanager
    def forgotten(self) -> Iterator[None]:
        """After the block the controller is killed, and comes back as it was before the block.

        A controller that is killed always forgets what happened in its last seconds.
        """
        state, former = self.folder / "state", self.folder / "former-state"
        self.kill("slurmctld", signal.SIGTERM)
        shutil.copytree(state, former)
        self.start_controller()
        yield
        self.kill("slurmctld")
        shutil.rmtree(state)
        former.rename(state)
        self.start_controller()

    def kill_steps(self) -> None:
        """SIGKILL what still runs jobs on the nodes, and all that they have started.

        Other clusters may be on this machine; the configuration tells whose it is.
        """
        for each in psutil.process_iter():
            with suppress(psutil.Error):
                if each.name() == "slurmstepd" and self._is_ours(each):
                    for process in [each, *each.children(recursive=True)]:
                        with suppress(psutil.NoSuchProcess):
                            process.kill()

    def _is_ours(self, process: psutil.Process) -> bool:
        return process.environ().get("SLURM_CONF") == self.environment["SLURM_CONF"]

    def log(self, daemon: str) -> str:
        """What a daemon has printed."""
        return (self.folder / f"{daemon}.out").read_text(errors="replace")

    def stop(self) -> None:
        """Cancel all jobs, end all daemons, remove the folder."""
        if "slurmctld" in self.daemons:
            self.run("scancel", "--state=PENDING", "-u", "root", check=False)
            jobs = self.run("squeue", "-h", "-o", "%A", check=False).split()
            if jobs:
                self.run("scancel", *jobs, check=False)
                self._wait_for_empty_queue()
        for name in reversed(list(self.daemons)):
            process = self.daemons.pop(name)
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.kill_steps()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait_for_empty_queue(self) -> None:
        try:
            wait_until(lambda: not self.run("squeue", "-h", check=False).strip(), 40, "no jobs")
        except TimeoutError as slow:
            print(f"test cluster: {slow}")

    def _spawn(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.out").open("ab") as output:
            self.daemons[name] = subprocess.Popen(
                command,
                env=os.environ | self.environment | self._database_socket,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _start(self) -> None:
        self._start_munge()
        if self.accounting:
            self._start_database()
        self._write_configuration()
        if self.accounting:
            self._start_accounting()
        self.start_controller()
        if self.accounting:
            self.run("sacctmgr", "-i", "add", "account", "research", check=False)
        for name in self.node_names:
            self.start_node(name)
        wait_until(lambda: self._idle_nodes() == self.nodes, 60, "all nodes idle")

    @property
    def _database_socket(self) -> dict[str, str]:
        # slurmdbd's configuration has no key for a socket; MariaDB's client library reads this.
        return {"MYSQL_UNIX_PORT": str(self.folder / "mariadb" / "socket")}

    @property
    def node_names(self) -> list[str]:
        """n1, n2, ..."""
        return [f"n{number}" for number in range(1, self.nodes + 1)]

    def _idle_nodes(self) -> int:
        return (
            self.run("sinfo", "-h", "-N", "-p", "gpu", "-o", "%T", check=False)
            .split()
            .count("idle")
        )

    def _start_munge(self) -> None:
        folder = self.folder / "munge"
        folder.mkdir()
        key = folder / "key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        self._spawn(
            "munged",
            [
                "munged",
                "--foreground",
                "--force",
                f"--key-file={key}",
                f"--socket={folder}/socket",
                f"--pid-file={folder}/pid",
                f"--log-file={folder}/log",
                f"--seed-file={folder}/seed",
            ],
        )
        wait_until((folder / "socket").exists, 20, "munged up")
        folder.chmod(0o711)

    def _start_database(self) -> None:
        folder = self.folder / "mariadb"
        folder.mkdir()
        self._spawn_and_wait(
            ["mariadb-install-db", "--user=root", f"--datadir={folder}", "--skip-test-db"]
        )
        self._spawn(
            "mariadbd",
            [
                "mariadbd",
                "--no-defaults",
                "--user=root",
                f"--datadir={folder}",
                f"--socket={folder}/socket",
                "--skip-networking",
                f"--pid-file={folder}/pid",
                "--innodb-buffer-pool-size=64M",
            ],
        )
        wait_until((folder / "socket").exists, 60, "mariadbd up")

    def _spawn_and_wait(self, command: list[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")

    def _start_accounting(self) -> None:
        self._spawn("slurmdbd", ["slurmdbd", "-D"])
        self.run_until("sacctmgr", "-i", "add", "cluster", "test")

    def run_until(self, *command: str) -> None:
        """Repeat a client's command until it succeeds."""
        wait_until(lambda: self._succeeds(command), 60, " ".join(command))

    def _succeeds(self, command: tuple[str, ...]) -> bool:
        try:
            self.run(*command)
        except RuntimeError:
            return False
        return True

    def _write_configuration(self) -> None:
        host = socket.gethostname().split(".")[0]
        ports = [free_port() for _ in self.node_names]
        for gpu in range(2):
            (self.folder / f"gpu{gpu}").touch()
        lines = [
            "ClusterName=test",
            f"SlurmctldHost={host}(127.0.0.1)",
            f"SlurmctldPort={free_port()}",
            "SlurmUser=root",
            "SlurmdUser=root",
            f"AuthInfo=socket={self.folder}/munge/socket",
            f"StateSaveLocation={self.folder}/state",
            f"SlurmdSpoolDir={self.folder}/spool-%n",
            f"SlurmctldPidFile={self.folder}/slurmctld.pid",
            f"SlurmdPidFile={self.folder}/slurmd-%n.pid",
            f"ProctrackType=proctrack/{self.tracking}",
            f"TaskPlugin=task/{'cgroup' if self.tracking == 'cgroup' else 'none'}",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_Core_Memory",
            "SlurmdParameters=config_overrides",
            "GresTypes=gpu,tmpfs",
            "PreemptType=preempt/partition_prio",
            "PreemptMode=REQUEUE",
            "SchedulerParameters=batch_sched_delay=0,sched_interval=5,sched_min_interval=100000",
            "JobRequeue=1",
            "KillWait=10",
            "SlurmdTimeout=20",
            "ReturnToService=2",
            "MpiDefault=none",
            "MaxArraySize=1001",
            *self._accounting_lines(),
            *(
                f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port}"
                " CPUs=4 RealMemory=8000 Gres=gpu:2,tmpfs:100"
                for name, port in zip(self.node_names, ports, strict=True)
            ),
            f"PartitionName=gpu Nodes=n[1-{self.nodes}] Default=YES PriorityTier=1"
            f" GraceTime={self.grace_seconds} DefMemPerCPU=1000",
            f"PartitionName=urgent Nodes=n[1-{self.nodes}] PriorityTier=10 PreemptMode=off"
            " DefMemPerCPU=1000",
            *self.settings,
        ]
        (self.folder / "slurm.conf").write_text("\n".join(lines) + "\n")
        gres = f"Name=gpu File={self.folder}/gpu[0-1]\nName=tmpfs Count=100\n"
        (self.folder / "gres.conf").write_text(gres)
        (self.folder / "cgroup.conf").write_text(
            "CgroupPlugin=cgroup/v1\nConstrainRAMSpace=yes\nConstrainSwapSpace=yes\n"
        )
        (self.folder / "state").mkdir()

    def _accounting_lines(self) -> list[str]:
        if not self.accounting:
            return [
                "AccountingStorageType=accounting_storage/none",
                "JobAcctGatherType=jobacct_gather/none",
            ]
        port = free_port()
        configuration = self.folder / "slurmdbd.conf"
        configuration.write_text(
            "\n".join(
                [
                    f"AuthInfo=socket={self.folder}/munge/socket",
                    "DbdHost=localhost",
                    f"DbdPort={port}",
                    "SlurmUser=root",
                    "StorageType=accounting_storage/mysql",
                    "StorageHost=localhost",
                    "StorageUser=root",
                    "StorageLoc=slurm_acct_db",
                    f"PidFile={self.folder}/slurmdbd.pid",
                ]
            )
            + "\n"
        )
        configuration.chmod(0o600)
        return [
            "AccountingStorageType=accounting_storage/slurmdbd",
            "AccountingStorageHost=localhost",
            f"AccountingStoragePort={port}",
            f"AccountingStoragePass={self.folder}/munge/socket",
            "JobAcctGatherType=jobacct_gather/linux",
            "JobAcctGatherFrequency=2",
        ]


def main() -> None:
    """Bring a cluster up and keep it until Ctrl-C."""
    install()
    with SlurmCluster() as cluster:
        print(f"export SLURM_CONF={cluster.folder}/slurm.conf", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("stopping")


if __name__ == "__main__":
    main()
