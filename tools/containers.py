# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The scenario containers: two example systems, deployed by the project's own playbooks, that really run and answer.

``python -m tools.containers`` starts MiniStack with its data plane, builds the examples' images, runs the playbooks on
inventories/fargate_web and inventories/jeancloud, and asks over HTTP for what a customer would ask. What it found
stands in .cache/containers/proofs.html. ``whole`` deploys the whole of jeancloud, ``main`` only what the standby needs.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
import typing as t
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter

from tests.live import images
from tests.live.platform import Platform, PlatformError
from tools import docker_engine
from tools.collection import ALIVE, BIN, ROOT, environment
from tools.containers_page import Proof, write_page
from tools.demo import tier_of

CACHE = ROOT / ".cache" / "containers"
SCENARIO = ROOT / "molecule" / "containers"
ACTIVE, STANDBY = "eu-west-3", "eu-central-1"
#: The first releases, as the inventories name them; the next one, and one that does not start.
FIRST, NEXT, BROKEN = "v1.0.0", "v2.0.0", "v2.0.1"
SITE, FILES = "https://fargate.example.com", "https://files.fargate.example.com"
NAMES = ("fargate.example.com", "*.fargate.example.com", "*.jeancloud.rocks")
TASK = re.compile(r"^TASK \[(?P<name>.*?)\] \*+$")
#: What a browser is called where it has no window.
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome", "chromium-browser")
CHAINS = ("main", "whole")
#: What is not proven where there is no Docker engine.
PROVES = (
    "that the examples' containers answer through the load balancer, that files come through the CDN by signed "
    "addresses only, that images reach the standby and run there, that a restore brings the rows back, that services "
    "scale and releases lose no request"
)
#: What makes the base images and the keys, and what draws the picture; the first of several names that apt knows.
NEEDED = (("mmdebstrap",), ("debian-archive-keyring",), ("openssl",))
WISHED = (("chromium-headless-shell", "chromium"),)


class NotProvenError(Exception):
    """Something did not turn out as it should."""


class PlaybookError(NotProvenError):
    """A playbook failed.

    :param text: which, and where its output is.
    :param output: all that it wrote, on one line: Ansible breaks long texts.
    """

    def __init__(self, text: str, output: str) -> None:
        super().__init__(text)
        self.output = " ".join(output.split())


class Answer(t.NamedTuple):
    """What came back for a request."""

    status: int
    body: bytes
    headers: t.Mapping[str, str]

    @property
    def document(self) -> t.Any:
        """The body, where it is JSON."""
        return json.loads(self.body)


class Unredirected(urllib.request.HTTPRedirectHandler):
    """Leaves a redirection to whoever asked."""

    def redirect_request(self, *_arguments: t.Any) -> None:
        """Follow nothing."""


def must(truth: object, text: str) -> None:
    """Go on only if something is so.

    :param truth: whether it is.
    :param text: what is wrong else.
    :raises NotProvenError: it is not.
    """
    if not truth:
        raise NotProvenError(text)


def tampered(url: str) -> str:
    """A signed address with another end of its time, so that the signature does not fit."""
    return re.sub(r"Expires=(\d+)", lambda match: f"Expires={int(match[1]) + 3600}", url)


@contextlib.contextmanager
def playbook_process(command: t.Sequence[str], variables: t.Mapping[str, str]) -> t.Iterator[subprocess.Popen[str]]:
    """A run of ansible-playbook that ends, with all that it started, when this is left early.

    :param command: what runs.
    :param variables: its environment.
    """
    process = subprocess.Popen(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        env=dict(variables),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
        process.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL) if process.poll() is None else ():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
        if process.stdout:
            process.stdout.close()


class Scenario:
    """One run.

    :param platform: a running platform.
    :param chain: one of L{CHAINS}.
    """

    def __init__(self, platform: Platform, chain: str) -> None:
        self.platform = platform
        self.chain = chain
        self.proofs: list[Proof] = []
        self.key = CACHE / "signing.key"
        self.variables = environment(
            **platform.environment, ANSIBLE_NOCOLOR="1", LIVE_PUBLIC_KEY=str(CACHE / "signing.pem")
        )

    # What a step is made of.

    def play(self, system: str, playbook: str, *arguments: str) -> list[str]:
        """Run a playbook of the project on an inventory of the project.

        :param system: the inventory's name.
        :param playbook: its name.
        :param arguments: further arguments of ansible-playbook.
        :returns: its output.
        :raises NotProvenError: it failed.
        """
        overlay = ["-e", f"@{(SCENARIO / system).relative_to(ROOT)}.yml"]
        command = ["ansible-playbook", "-i", f"inventories/{system}", f"playbooks/{playbook}.yml", *overlay, *arguments]
        print(f"  $ {shlex.join(command)}", flush=True)
        started, lines, tiers = time.monotonic(), [], [""]
        log = CACHE / f"{len(list(CACHE.glob('*.log'))):02}-{system}-{playbook}.log"
        with log.open("w", encoding="utf-8") as stream, playbook_process(command, self.variables) as process:
            for line in process.stdout or ():
                stream.write(line)
                lines.append(line.rstrip("\n"))
                task = TASK.match(line)
                tier = tier_of(task["name"]) if task else None
                if tier and tiers[-1] != tier:
                    tiers.append(tier)
                elif line.startswith(ALIVE):
                    print(f"    {line.strip()}", flush=True)
        print(f"    {time.monotonic() - started:.0f} s, through {', '.join(dict.fromkeys(tiers[1:]))}", flush=True)
        if process.returncode:
            text = f"{playbook}.yml ended with {process.returncode}; all of its output: {log}"
            raise PlaybookError(text, "\n".join(lines))
        return lines

    def ask(self, url: str, data: bytes | None = None, direct: bool = False) -> Answer:
        """Send a request, under the name that the thing has in AWS, and follow nothing.

        :param url: the address.
        :param data: what is posted.
        :param direct: without the proxy, to an address of a container or of the API.
        """
        handlers = [urllib.request.ProxyHandler({})] if direct else []
        opener = urllib.request.build_opener(*handlers, Unredirected) if direct else self.platform.opener(Unredirected)
        try:
            with opener.open(urllib.request.Request(url, data=data), timeout=15) as answer:
                return Answer(answer.status, answer.read(), dict(answer.headers.items()))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), dict(error.headers.items()))

    def client(self, service: str, region: str = ACTIVE) -> t.Any:
        """A client of the local AWS's API."""
        import boto3

        found = self.platform.environment
        keys = {
            "aws_access_key_id": found["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": found["AWS_SECRET_ACCESS_KEY"],
        }
        return boto3.client(service, region, endpoint_url=self.platform.url, **keys)

    def publish(self, image: str, repository: str, version: str, region: str = ACTIVE) -> None:
        """Push an image, as a pipeline would.

        :param image: what it is called here.
        :param repository: of ECR.
        :param version: its tag there.
        :param region: whose registry.
        """
        there = f"127.0.0.1:{self.platform.registries[region]}/{repository}:{version}"
        images.docker("tag", image, there)
        images.docker("push", "--quiet", there, env=self.platform.docker_environment)
        images.docker("rmi", there)

    @contextlib.contextmanager
    def proof(self, title: str) -> t.Iterator[Proof]:
        """Something that is proven when the block ends without an error."""
        print(f"\n{title}", flush=True)
        proof, started = Proof(title), time.monotonic()
        self.proofs.append(proof)
        try:
            yield proof
        except BaseException as error:
            # Whoever interrupts it has not proven it either.
            proof.failed = (str(error) if isinstance(error, Exception) else "") or type(error).__name__
            raise
        finally:
            proof.seconds = time.monotonic() - started
        for fact in proof.facts:
            print(f"  ok  {fact}", flush=True)

    # The steps.

    def run(self) -> None:
        """The whole chain.

        :raises NotProvenError: the first thing that is not as it should be.
        """
        self.make_key()
        self.build()
        self.deploy_web()
        self.pages()
        self.files()
        self.standby()
        self.restore()
        self.scale()
        self.release()
        self.go()

    def build(self) -> None:
        """The images of the applications: a good version, a better one, one that does not start."""
        with self.proof("The base images are made from Debian packages, the applications' images on them") as proof:
            for base in images.BASES:
                made = images.make(base)
                proof.facts.append(f"{base.image}: {'made now' if made else 'kept from an earlier run'}")
            for version in (FIRST, NEXT):
                images.build(ROOT / "examples/fargate_web/backend", f"{images.PREFIX}/backend:{version}", version)
            images.build(ROOT / "examples/fargate_web/frontend", f"{images.PREFIX}/frontend:{FIRST}", FIRST)
            # Its migrations still run, so that it fails where a roll-back is wanted: when it is to serve.
            good = f"{images.PREFIX}/backend:{NEXT}"
            images.build(SCENARIO / "bad_backend", f"{images.PREFIX}/backend:{BROKEN}", BROKEN, good)

    def deploy_web(self) -> None:
        """inventories/fargate_web, from an empty account to a verified one."""
        with self.proof("inventories/fargate_web is deployed by deploy.yml, and verify.yml agrees") as proof:
            self.play("fargate_web", "deploy", "--tags", "registry")
            self.publish(f"{images.PREFIX}/backend:{FIRST}", "fargate-prod-backend", FIRST)
            self.publish(f"{images.PREFIX}/backend:{NEXT}", "fargate-prod-backend", NEXT)
            self.publish(f"{images.PREFIX}/backend:{BROKEN}", "fargate-prod-backend", BROKEN)
            self.publish(f"{images.PREFIX}/frontend:{FIRST}", "fargate-prod-frontend", FIRST)
            proof.facts.append("docker push put the images into the repositories that the registry tier made")
            self.play("fargate_web", "deploy")
            proof.facts.append(f"{len(self.running('fargate-prod-cluster'))} Fargate tasks run, as containers")
            # The first backup is what verify.yml asks for; it holds the rows that the restore brings back.
            self.play("fargate_web", "backup")
            self.play("fargate_web", "verify")
            proof.facts.append("verify.yml found nothing wrong")

    def pages(self) -> None:
        """F: a page and rows through the load balancer's path rules, and how that looks."""
        with self.proof("A page from the front end and rows from PostgreSQL through the load balancer") as proof:
            plain = self.ask("http://fargate.example.com/")
            must(plain.status == 301, f"plain HTTP was answered with {plain.status}, not led to HTTPS")
            proof.facts.append(f"http://fargate.example.com/ leads to {plain.headers['Location']}")
            page = self.ask(f"{SITE}/")
            wanted = (ROOT / "examples/fargate_web/frontend/site/index.html").read_bytes()
            must(page.status == 200 and page.body == wanted, f"{SITE}/ gave {page.status}: {page.body[:200]!r}")
            proof.facts.append(f"{SITE}/ is the front end's page, byte for byte")
            names = [user["name"] for user in self.users()]
            must(names[:3] == ["Ada", "Grace", "Linus"], f"the rows of the migration are {names}")
            proof.facts.append(f"{SITE}/api/users gives the rows that the migration made: {', '.join(names)}")
            added = self.ask(f"{SITE}/api/users", json.dumps({"name": "Radia"}).encode())
            must(added.status == 201, f"a new user was answered with {added.status}: {added.body!r}")
            must("Radia" in [user["name"] for user in self.users()], "the new user is not there")
            proof.facts.append("A user posted there is a row of the database afterwards")
            self.shoot(proof)

    def users(self) -> list[dict[str, t.Any]]:
        """The rows that the back end shows."""
        answer = self.ask(f"{SITE}/api/users")
        must(answer.status == 200, f"{SITE}/api/users gave {answer.status}: {answer.body[:200]!r}")
        return t.cast("list[dict[str, t.Any]]", answer.document["users"])

    def shoot(self, proof: Proof) -> None:
        """A picture of the front end as a browser without a window draws it, where there is one."""
        browser = next((name for name in BROWSERS if docker_engine.quietly(name, "--version")), None)
        if browser is None:
            proof.facts.append("No picture: there is no Chromium on this machine, so that no browser has seen the page")
            return
        picture, profile = CACHE / "frontend.png", CACHE / "browser"
        picture.unlink(missing_ok=True)
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=800,500",
            # The run's own certificate authority is in no store of the browser's; Python's requests check it.
            "--ignore-certificate-errors", f"--proxy-server=http://127.0.0.1:{self.platform.proxy_port}",
            f"--user-data-dir={profile}", "--virtual-time-budget=8000", f"--screenshot={picture}", f"{SITE}/",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        must(picture.exists() and picture.stat().st_size > 1000, f"{browser} made no picture: {done.stderr[-500:]}")
        dom = subprocess.run(
            [*[part for part in command if not part.startswith("--screenshot")][:-1], "--dump-dom", f"{SITE}/"],
            capture_output=True, text=True, timeout=120, check=False,
        ).stdout  # fmt: skip
        must("<li>Radia</li>" in dom, f"the page that the browser drew shows no row: {dom[-600:]}")
        proof.facts.append(f"{browser} ran the page's script, and shows the rows")
        proof.pictures.append(picture)

    def files(self) -> None:
        """F5: files through the CDN only, private ones by a signed address only."""
        with self.proof(
            "Files come through CloudFront, not from S3, and private ones by a signed address only"
        ) as proof:
            page = self.ask(f"{FILES}/")
            must(page.status == 200 and b"Static and media files" in page.body, f"{FILES}/ gave {page.status}")
            proof.facts.append(f"{FILES}/ gives the page")
            bucket = next(
                one["Name"] for one in self.client("s3").list_buckets()["Buckets"] if "-files-" in one["Name"]
            )
            straight = self.ask(f"{self.platform.url}/{bucket}/index.html", direct=True)
            must(straight.status == 403, f"the bucket gave the file away with {straight.status}")
            proof.facts.append("S3 asked for the same file without a signature: 403")
            url = f"{FILES}/private/contract.txt"
            must(self.ask(url).status == 403, "the private file was given away without a signature")
            proof.facts.append(f"{url} without a signature: 403")
            signed = self.sign(url)
            must(self.ask(signed).status == 200, f"the signed address was answered with {self.ask(signed).status}")
            proof.facts.append("The address signed by the filter cloudfront_signed_url: 200, with the file")
            must(self.ask(tampered(signed)).status == 403, "an address with a later end was let through")
            other = signed.replace("contract.txt", "other.txt")
            must(self.ask(other).status == 403, "the signature of another file was let through")
            proof.facts.append("The same with a later end, and for another file: 403")

    def make_key(self) -> None:
        """A pair of keys for this run, which the distribution trusts: the example's private key is nobody's."""
        private, public = str(self.key), str(CACHE / "signing.pem")
        must(docker_engine.quietly("openssl", "genrsa", "-out", private, "2048"), "openssl makes no key")
        self.key.chmod(0o600)
        must(docker_engine.quietly("openssl", "rsa", "-in", private, "-pubout", "-out", public), "openssl reads no key")

    def sign(self, url: str) -> str:
        """Sign an address by the project's filter."""
        public = self.key.with_suffix(".pem").read_text(encoding="utf-8").strip()
        keys = self.client("cloudfront").list_public_keys()["PublicKeyList"].get("Items") or []
        found = [one["Id"] for one in keys if one["EncodedKey"].strip() == public]
        must(found, f"the distribution's keys are {[one['Name'] for one in keys]}, not this run's")
        read = f"lookup('ansible.builtin.file', '{self.key}', rstrip=false)"
        text = f"{{{{ '{url}' | palier.aws.cloudfront_signed_url('{found[0]}', {read}, {int(time.time()) + 600}) }}}}"
        command = [str(BIN / "ansible"), "localhost", "-m", "ansible.builtin.debug", "-a", json.dumps({"msg": text})]
        done = subprocess.run(command, cwd=ROOT, env=self.variables, capture_output=True, text=True, check=False)
        signed = re.search(rf"{re.escape(url)}\?[\w=&~.-]+", done.stdout)
        must(signed, f"the filter gave no address: {done.stdout[-500:]}{done.stderr[-500:]}")
        return t.cast("re.Match[str]", signed)[0]

    def standby(self) -> None:
        """J9: images pushed to the active region, synced, pulled and run in the standby region."""
        with self.proof("Images pushed to the active region are synced, and run in the standby region") as proof:
            self.play("jeancloud", "deploy", "--tags", "registry")
            self.publish(f"{images.PREFIX}/backend:{FIRST}", "jeancloud-backend", FIRST)
            self.play("jeancloud", "sync_images")
            digests = [self.digest("jeancloud-backend", region) for region in (ACTIVE, STANDBY)]
            must(digests[0] == digests[1], f"the regions' images differ: {digests}")
            proof.facts.append(f"{STANDBY} has the image of {ACTIVE}, by the same digest {digests[0]}")
            size = self.blobs_of("jeancloud-backend", STANDBY)
            proof.facts.append(f"Every layer comes from the registry in {STANDBY}, {size / 1e6:.0f} MB in all")
            if self.chain == "whole":
                self.play("jeancloud", "deploy")
                health = self.ask("https://www.jeancloud.rocks/api/health")
                must(
                    health.status == 200, f"www.jeancloud.rocks/api/health gave {health.status}: {health.body[:200]!r}"
                )
                proof.facts.append("https://www.jeancloud.rocks: the site from S3, /api/* from the load balancer")
            awake = f"@{(SCENARIO / 'awake.yml').relative_to(ROOT)}"
            self.play("jeancloud", "deploy", "--limit", "jeancloud_germany", "-e", awake)
            tasks = self.running("jeancloud-cluster-germany", STANDBY)
            must(len(tasks) == 1, f"{len(tasks)} tasks run in {STANDBY}")
            address = task_address(tasks[0])
            health = self.ask(f"http://{address}:8000/api/health", direct=True)
            must(health.status == 200, f"the task in {STANDBY} answers {health.status}")
            # What Docker runs, rather than what the local AWS says of it.
            must(self.image_of(tasks[0]) == self.config_of("jeancloud-backend", STANDBY), "the task runs another image")
            proof.facts.append(f"The task in {STANDBY} runs that image and answers: {health.body.decode()}")

    def digest(self, repository: str, region: str) -> str:
        """The digest of the first release in a region."""
        found = self.client("ecr", region).describe_images(repositoryName=repository, imageIds=[{"imageTag": FIRST}])
        return str(found["imageDetails"][0]["imageDigest"])

    def config_of(self, repository: str, region: str) -> str:
        """The digest of the first release's configuration, which is what Docker calls the image's id."""
        url = f"http://127.0.0.1:{self.platform.registries[region]}/v2/{repository}/manifests/{FIRST}"
        return str(self.ask(url, direct=True).document["config"]["digest"])

    def image_of(self, task: t.Mapping[str, t.Any]) -> str:
        """The id of the image of a task's container."""
        found = images.docker("ps", "--quiet", f"--filter=label=com.amazonaws.ecs.task-arn={task['taskArn']}")
        return images.docker("inspect", "--format={{.Image}}", found)

    def blobs_of(self, repository: str, region: str) -> int:
        """Read every layer of the first release from a region's registry: how many bytes came.

        :raises NotProvenError: one is not what its digest says.
        """
        url = f"http://127.0.0.1:{self.platform.registries[region]}/v2/{repository}"
        manifest = self.ask(f"{url}/manifests/{FIRST}", direct=True).document
        size = 0
        for digest in (one["digest"] for one in (manifest["config"], *manifest["layers"])):
            blob = self.ask(f"{url}/blobs/{digest}", direct=True).body
            must(f"sha256:{hashlib.sha256(blob).hexdigest()}" == digest, f"{region} gives another blob for {digest}")
            size += len(blob)
        return size

    def running(self, cluster: str, region: str = ACTIVE) -> list[dict[str, t.Any]]:
        """The running tasks of a cluster."""
        ecs = self.client("ecs", region)
        arns = ecs.list_tasks(cluster=cluster)["taskArns"]
        tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        return [task for task in tasks if task["lastStatus"] == "RUNNING"]

    def restore(self) -> None:
        """A snapshot restored beside the database, with its rows."""
        with self.proof("A snapshot brings the rows back: backup.yml, restore.yml") as proof:
            before = [user["name"] for user in self.users()]
            self.play("fargate_web", "backup", "-e", "backups_max_age=0s")
            added = self.ask(f"{SITE}/api/users", json.dumps({"name": "Too late"}).encode())
            must(added.status == 201, "no row could be added after the snapshot")
            self.play("fargate_web", "restore", "--limit", "fargate_prod", "-e", "backups_restore_tier=rds")
            rds = self.client("rds")
            restored = [
                one for one in rds.describe_db_instances()["DBInstances"]
                if one["DBInstanceIdentifier"].startswith("fargate-prod-db-")
            ]  # fmt: skip
            must(len(restored) == 1, f"{len(restored)} databases stand beside the live one")
            rows = self.rows_of(restored[0])
            must(rows == before, f"the restored database has {rows}, the snapshot had {before}")
            proof.facts.append(
                f"{restored[0]['DBInstanceIdentifier']} stands beside the live one, with {', '.join(rows)}"
            )
            must("Too late" in [user["name"] for user in self.users()], "the live database lost a row")
            proof.facts.append(
                "The live database keeps the row that came after the snapshot; the restored one lacks it"
            )
            rds.modify_db_instance(
                DBInstanceIdentifier=restored[0]["DBInstanceIdentifier"],
                DeletionProtection=False,
                ApplyImmediately=True,
            )
            rds.delete_db_instance(DBInstanceIdentifier=restored[0]["DBInstanceIdentifier"], SkipFinalSnapshot=True)

    def rows_of(self, database: dict[str, t.Any]) -> list[str]:
        """The users in a database, read with the password that RDS manages for it."""
        arn = database["MasterUserSecret"]["SecretArn"]
        secret = json.loads(self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
        settings = {
            "DB_HOST": database["Endpoint"]["Address"],
            "DB_PORT": str(database["Endpoint"]["Port"]),
            "DB_NAME": database["DBName"],
            "DB_USER": secret["username"],
            "DB_PASSWORD": secret["password"],
        }
        code = "from database import connection\nwith connection() as c:\n"
        code += "  for row in c.run('SELECT name FROM users ORDER BY id'): print(row[0])"
        named = [f"--env={name}" for name in settings]
        image = f"{images.PREFIX}/backend:{FIRST}"
        out = images.docker("run", "--rm", *named, image, "python", "-c", code, env={**os.environ, **settings})
        return out.splitlines()

    def scale(self) -> None:
        """More tasks, and fewer again, while the page is there."""
        with self.proof("Services scale out and in") as proof, Load(self, f"{SITE}/api/health") as load:
            for least, most in ((3, 4), (1, 1)):
                bounds = ["-e", f"live_least={least}", "-e", f"live_most={most}"]
                self.play("fargate_web", "deploy", "--tags", "ecs_app", *bounds)
                count = self.settled("fargate-prod-backend", least)
                proof.facts.append(f"With bounds of {least} to {most}, {count} tasks of the back end run")
                if least > 1:
                    hosts = {self.ask(f"{SITE}/api/health").document["host"] for _ in range(30)}
                    must(len(hosts) == least, f"only {len(hosts)} of {least} tasks answer")
                    proof.facts.append(f"{len(hosts)} of them answer through the load balancer")
        with self.proof("No request failed meanwhile") as proof:
            load.judge(proof)

    def settled(self, service: str, wanted: int) -> int:
        """Wait until as many tasks of a service run as are wanted.

        :raises NotProvenError: not within two minutes.
        """
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            tasks = self.running("fargate-prod-cluster")
            count = sum(task.get("group") == f"service:{service}" for task in tasks)
            if count == wanted:
                return count
            time.sleep(1)
        raise NotProvenError(f"{count} tasks of {service} run, not {wanted}")

    def release(self) -> None:
        """A rolling release under load, and one that goes wrong."""
        if not (ROOT / "playbooks" / "release.yml").exists():
            return
        arguments = ["--limit", "fargate_prod", "-e", "release_component=backend", "-e"]
        with self.proof("A rolling release loses no request") as proof:
            with Load(self, f"{SITE}/api/health") as load:
                self.play("fargate_web", "release", *arguments, f"release_version={NEXT}")
            version = self.ask(f"{SITE}/api/health").document["version"]
            must(version == NEXT, f"{version} answers, not {NEXT}")
            proof.facts.append(f"release.yml brought {NEXT}: {load.said()}")
            load.judge(proof)
        with self.proof("A release that does not start is rolled back by itself") as proof:
            with Load(self, f"{SITE}/api/health") as load:
                try:
                    self.play("fargate_web", "release", *arguments, f"release_version={BROKEN}")
                except PlaybookError as error:
                    must("runs again" in error.output, f"release.yml failed for another reason: {error}")
                    proof.facts.append(f"release.yml failed for {BROKEN}, as it should, and took it back")
                else:
                    raise NotProvenError("release.yml said that the broken version is fine")
            version = self.ask(f"{SITE}/api/health").document["version"]
            must(version == NEXT, f"{version} answers after the roll-back, not {NEXT}")
            proof.facts.append(f"{NEXT} answers again")
            load.judge(proof)

    def go(self) -> None:
        """Destroy everything, and look at what is left."""
        with self.proof("destroy.yml takes both systems away") as proof:
            one = ["--limit", "fargate_prod", "-e", "destroy_confirm=fargate", "-e", "rds_final_snapshot=false"]
            self.play("fargate_web", "destroy", *one)
            for host in ("jeancloud_germany", "jeancloud_france"):
                arguments = ["--limit", host, "-e", "destroy_confirm=jeancloud", "-e", "rds_final_snapshot=false"]
                self.play("jeancloud", "destroy", *arguments)
            left = [name for name in self.names_of_containers() if name]
            must(not left, f"containers are left: {', '.join(left)}")
            proof.facts.append("No container of a task or a database is left")

    def names_of_containers(self) -> list[str]:
        """The containers that run for the local AWS."""
        label = f"--filter=label=ministack.instance={self.platform.owner}"
        return images.docker("ps", "--format={{.Names}}", label).splitlines()


def task_address(task: t.Mapping[str, t.Any]) -> str:
    """The private address of a Fargate task.

    :raises NotProvenError: it has none.
    """
    details = [one for attachment in task.get("attachments") or [] for one in attachment["details"]]
    found = [one["value"] for one in details if one["name"] == "privateIPv4Address"]
    must(found, f"task {task['taskArn']} has no address")
    return str(found[0])


class Load:
    """Asks for a page again and again, by two clients, as long as the C{with} block takes.

    :param scenario: who asks.
    :param url: a page that says its version.
    """

    def __init__(self, scenario: Scenario, url: str) -> None:
        self.scenario, self.url = scenario, url
        self.versions: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(2)]

    def __enter__(self) -> Load:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        for one in self._threads:
            one.join()

    def _ask_on(self) -> None:
        while not self._over.wait(0.05):
            try:
                answer = self.scenario.ask(self.url)
                if answer.status == 200:
                    self.versions[answer.document["version"]] += 1
                else:
                    self.failures[f"{answer.status}"] += 1
            except (OSError, ValueError, http.client.HTTPException) as error:
                self.failures[type(error).__name__] += 1

    def said(self) -> str:
        """How many requests each version answered."""
        return ", ".join(f"{version} answered {count} requests" for version, count in sorted(self.versions.items()))

    def judge(self, proof: Proof) -> None:
        """Note how many requests there were.

        :param proof: gets the numbers.
        :raises NotProvenError: one failed.
        """
        failed, asked = sum(self.failures.values()), sum((self.versions + self.failures).values())
        must(not failed, f"{failed} of {asked} requests failed: {dict(self.failures)}")
        proof.facts.append(f"{asked} requests, {failed} failed")


def unproven(chain: str) -> list[str]:
    """What this scenario does not prove, one sentence each.

    :param chain: one of L{CHAINS}.
    """
    release = (ROOT / "playbooks" / "release.yml").exists()
    return [
        "That a real account behaves like this one: the API is MiniStack's, mended by what AWS's documentation says.",
        "That metrics move services: nothing is measured here, so only the bounds of the scaling are moved.",
        "DNS: a proxy on this machine looks names up in the zones; nobody delegates to them, nothing checks health.",
        "That security groups and routes keep anybody out: containers reach one another freely.",
        *(
            []
            if chain == "whole"
            else ["jeancloud's active region beyond its registry; make containers CHAIN=whole does."]
        ),
        *([] if release else ["Rolling releases: this collection has no release.yml yet."]),
    ]


def candidates(policy: str) -> set[str]:
    """The packages that apt can install.

    :param policy: what C{apt-cache policy PACKAGE...} wrote.
    """
    found = re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: (.*)$", policy, flags=re.MULTILINE)
    return {name for name, candidate in found if candidate != "(none)"}


def prepare_host(say: t.Callable[[str], None]) -> None:
    """Have what makes images and pictures; pictures are left out where there is no browser.

    :param say: is told what takes a while.
    :raises NoEngineError: what makes images is not there and cannot be installed.
    """
    has_browser = any(shutil.which(name) for name in BROWSERS)
    lacks = not (shutil.which("mmdebstrap") and shutil.which("openssl"))
    if not lacks and has_browser:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        if lacks:
            raise docker_engine.NoEngineError(
                "mmdebstrap or openssl is missing, and it takes root and apt-get to install"
            )
        return
    docker_engine.quietly("apt-get", "-qy", "-o", "DPkg::Lock::Timeout=120", "update")
    for wanted, must_be in ((NEEDED if lacks else (), True), (() if has_browser else WISHED, False)):
        names = [name for names in wanted for name in names]
        if not names:
            continue
        known = candidates(docker_engine.output("apt-cache", "policy", *names))
        chosen = [next((name for name in choices if name in known), choices[0]) for choices in wanted]
        say(f"Installing {', '.join(chosen)}")
        apt = ("apt-get", "-qy", "-o", "DPkg::Lock::Timeout=120", "install", "--no-install-recommends")
        if not docker_engine.quietly(*apt, *chosen) and must_be:
            raise docker_engine.NoEngineError(f"apt-get cannot install {', '.join(chosen)}")


def remove_images() -> None:
    """Remove the applications' images; the base images stay for the next run."""
    names = images.docker(
        "images", "--format={{.Repository}}:{{.Tag}}", f"--filter=reference={images.PREFIX}/*"
    ).split()
    for name in names:
        if name.partition(":")[0] in (f"{images.PREFIX}/backend", f"{images.PREFIX}/frontend"):
            with contextlib.suppress(RuntimeError):
                images.docker("rmi", name)


def prove(chain: str) -> int:
    """Run the scenario; there must be a Docker engine.

    :param chain: one of L{CHAINS}.
    :returns: 0, or 1 with what is wrong printed.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in (*CACHE.glob("*.log"), *CACHE.glob("*.png"), CACHE / "proofs.html"):
        old.unlink(missing_ok=True)
    started, scenario, code = time.monotonic(), None, 0
    try:
        with Platform(CACHE, [ACTIVE, STANDBY], NAMES) as platform:
            scenario = Scenario(platform, chain)
            scenario.run()
    except PlaybookError as error:
        print(f"\n{error.output[-4000:]}\ncontainers: {error}", file=sys.stderr)
        code = 1
    except (NotProvenError, PlatformError, RuntimeError) as error:
        print(f"\ncontainers: {error}", file=sys.stderr)
        code = 1
    except Exception:
        traceback.print_exc()
        code = 1
    finally:
        remove_images()
        for name in ("signing.key", "signing.pem"):
            (CACHE / name).unlink(missing_ok=True)
        shutil.rmtree(CACHE / "browser", ignore_errors=True)
        shutil.rmtree(CACHE / "docker", ignore_errors=True)
        seconds = time.monotonic() - started
        if scenario:
            write_page(CACHE / "proofs.html", scenario.proofs, unproven(chain), seconds)
            print(f"\nWhat was proven: {(CACHE / 'proofs.html').relative_to(ROOT)}")
    print(f"containers ({chain}): {'failed' if code else 'proven'} after {seconds:.0f} s")
    return code


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run the scenario where there is a Docker engine, else say what was not proven.

    :param arguments: which chain.
    :returns: 0, or 1 if something is not as it should be.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.containers", description=__doc__)
    parser.add_argument("chain", nargs="?", choices=CHAINS, default="main")
    options = parser.parse_args(arguments)
    try:
        with docker_engine.engine():
            prepare_host(print)
            return prove(options.chain)
    except docker_engine.NoEngineError as error:
        print(docker_engine.skipped("containers", error, PROVES))
        return 0


if __name__ == "__main__":
    sys.exit(main())
