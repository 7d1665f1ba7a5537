"""The client's `git`, which runs git in the sandbox."""

import uuid

import pytest

NAME, MAIL = "Somebody", "somebody@example.org"


class Repository:
    """One in a sandbox, and what is asked of it most."""

    def __init__(self, sandbox, path):
        self.git, self.files, self.path = sandbox.git, sandbox.files, path
        self.run = lambda line: sandbox.commands.run(line, cwd=path).stdout.strip()

    def write(self, name, text):
        self.files.write(f"{self.path}/{name}", text)

    def commit(self, text="one\n", message="first", **more):
        self.write("a.txt", text)
        self.git.add(self.path)
        self.git.commit(self.path, message, **more)


@pytest.fixture
def repository(sandbox):
    if not hasattr(sandbox, "git"):
        pytest.skip("this version of the client cannot")
    path = f"/home/user/g-{uuid.uuid4()}"
    sandbox.git.init(path, initial_branch="main")
    sandbox.git.configure_user(NAME, MAIL)
    return Repository(sandbox, path)


@pytest.fixture
def committed(repository):
    repository.commit()
    return repository


@pytest.fixture
def remote(committed, sandbox):
    """The address of an empty one that git serves, in the same sandbox."""
    base = f"{committed.path}-served"
    committed.run(f"mkdir {base} && git init -q --bare --initial-branch=main {base}/remote.git")
    port = 9000 + uuid.uuid4().int % 1000
    daemon = f"git daemon --reuseaddr --base-path={base} --export-all --enable=receive-pack --listen=127.0.0.1 --port={port}"
    handle = sandbox.commands.run(daemon, background=True, timeout=0)
    address = f"git://127.0.0.1:{port}/remote.git"
    committed.run(f"until git ls-remote {address} 2>/dev/null; do sleep 0.1; done")
    yield address
    handle.kill()


def test_one_is_made(repository):
    assert repository.files.exists(f"{repository.path}/.git")
    assert repository.run("git symbolic-ref --short HEAD") == "main"


def test_status_tells_of_what_is_new(repository):
    repository.write("a.txt", "one")
    status = repository.git.status(repository.path)
    (entry,) = status.file_status
    assert (entry.name, entry.status) == ("a.txt", "untracked")
    flags = (status.is_clean, status.has_changes, status.has_untracked, status.has_staged, status.has_conflicts)
    assert flags == (False, True, True, False, False)
    counts = (status.total_count, status.staged_count, status.unstaged_count, status.untracked_count)
    assert counts == (1, 0, 1, 1)


def test_status_tells_what_became_of_each(repository):
    for name in ("gone", "moved"):
        repository.write(name, f"{name}\n" * 9)
    repository.commit()
    repository.commit("two\n", "second")
    repository.write("a.txt", "three\n")
    repository.write("new", "new\n")
    repository.git.add(repository.path, files=["new"])
    repository.run("git rm -q gone && git mv moved elsewhere")
    status = repository.git.status(repository.path)
    told = {entry.name: (entry.status, entry.staged) for entry in status.file_status}
    assert told == {
        "a.txt": ("modified", False),
        "new": ("added", True),
        "gone": ("deleted", True),
        "elsewhere": ("renamed", True),
    }
    (moved,) = [entry for entry in status.file_status if entry.name == "elsewhere"]
    assert moved.renamed_from == "moved"
    assert (status.staged_count, status.unstaged_count, status.untracked_count) == (3, 1, 0)


def test_files_are_added(repository):
    repository.write("a.txt", "one")
    repository.git.add(repository.path)
    assert repository.git.status(repository.path).has_staged
    assert repository.run("git diff --cached --name-only") == "a.txt"


def test_what_was_added_is_committed(committed):
    assert committed.git.status(committed.path).is_clean
    assert committed.run("git log --format=%an:%ae:%s") == f"{NAME}:{MAIL}:first"


def test_an_author_may_be_named_in_part(repository):
    repository.commit(author_name="Another")
    assert repository.run("git log --format=%an:%ae") == f"Another:{MAIL}"


def test_branches_come_and_go(committed):
    git, path = committed.git, committed.path
    git.create_branch(path, "other")
    branches = git.branches(path)
    assert set(branches.branches) == {"main", "other"} and branches.current_branch == "other"
    git.checkout_branch(path, "main")
    assert committed.run("git rev-parse --abbrev-ref HEAD") == "main"
    git.delete_branch(path, "other", force=True)
    assert git.branches(path).branches == ["main"]


def test_settings_are_read_and_written(repository):
    git, path = repository.git, repository.path
    git.set_config("pull.rebase", "true", scope="local", path=path)
    assert repository.run("git config --local --get pull.rebase") == "true"
    assert git.get_config("pull.rebase", scope="local", path=path) == "true"
    assert git.get_config("user.name", scope="global") == NAME
    assert repository.run("git config --global --get user.email") == MAIL


def test_credentials_are_stored(repository):
    repository.git.dangerously_authenticate("user", "secret", host="example.org", protocol="https")
    assert repository.git.get_config("credential.helper", scope="global") == "store"
    repository.run("git config --global --unset credential.helper; rm -f ~/.git-credentials")


def test_changes_are_taken_back(committed):
    git, path = committed.git, committed.path
    committed.write("a.txt", "other\n")
    git.reset(path, mode="hard", target="HEAD")
    assert git.status(path).is_clean and committed.files.read(f"{path}/a.txt") == "one\n"


def test_what_was_added_is_put_back(committed):
    git, path = committed.git, committed.path
    committed.write("a.txt", "other\n")
    git.add(path, files=["a.txt"])
    git.restore(path, paths=["a.txt"], staged=True, worktree=False)
    status = git.status(path)
    assert (status.has_staged, status.has_changes) == (False, True)
    git.restore(path, paths=["a.txt"])
    assert git.status(path).is_clean and committed.files.read(f"{path}/a.txt") == "one\n"


def test_remotes_are_named(repository):
    git, path = repository.git, repository.path
    assert git.remote_get(path, "origin") is None
    git.remote_add(path, "origin", "git://127.0.0.1/one.git")
    assert git.remote_get(path, "origin") == "git://127.0.0.1/one.git"
    git.remote_add(path, "origin", "git://127.0.0.1/two.git", overwrite=True)
    assert repository.run("git remote get-url origin") == "git://127.0.0.1/two.git"


def test_it_is_pushed_cloned_and_pulled(committed, remote):
    git, path = committed.git, committed.path
    git.remote_add(path, "origin", remote)
    git.push(path, remote="origin", branch="main", set_upstream=True)
    clone = f"{path}-clone"
    git.clone(remote, clone)
    assert committed.files.read(f"{clone}/a.txt") == "one\n"
    committed.commit("one\ntwo\n", "second")
    git.push(path)
    git.pull(clone)
    assert committed.files.read(f"{clone}/a.txt") == "one\ntwo\n"


@pytest.mark.parametrize("act", ["push", "pull"])
def test_without_a_place_to_go_it_says_so(committed, remote, act):
    from e2b import GitUpstreamException

    committed.git.remote_add(committed.path, "origin", remote)
    options = {"set_upstream": False} if act == "push" else {}
    with pytest.raises(GitUpstreamException, match="no upstream branch is configured"):
        getattr(committed.git, act)(committed.path, **options)
