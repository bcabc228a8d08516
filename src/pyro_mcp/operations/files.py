"""Files of a workspace, without a shell."""

from typing import TYPE_CHECKING

from pyro_mcp.models.file import (
    FileContent,
    FileEdited,
    FileListing,
    FileRemoved,
    FileWritten,
    SearchResult,
)
from pyro_mcp.models.file_arguments import (
    Content,
    ContextLines,
    Edits,
    Encoding,
    EndLine,
    Executable,
    Glob,
    GlobDepth,
    GuestPath,
    GuestTree,
    IfMatch,
    MatchLimit,
    MaxChars,
    MoveTo,
    Pattern,
    Recursive,
    StartLine,
)
from pyro_mcp.models.workspace_arguments import WorkspaceRef
from pyro_mcp.operations.declare import CORE, operation
from pyro_mcp.operations.lazy import lazily
from pyro_mcp.operations.noun import Noun

if TYPE_CHECKING:
    from pyro_mcp.workspaces.files import reading, writing
else:
    reading = lazily("pyro_mcp.workspaces.files.reading")
    writing = lazily("pyro_mcp.workspaces.files.writing")


class FileOperations(Noun):
    """`pyro.workspace.file`: list, read, write, edit, search, remove."""

    @operation("workspace_file_list", title="List files", effect="reads", profiles=CORE)
    def list(
        self,
        workspace: WorkspaceRef,
        path: GuestTree = "/workspace",
        *,
        depth: GlobDepth = None,
        glob: Glob = None,
    ) -> FileListing:
        """List files with type, size and mode."""
        with self._sessions.using(workspace, "file.list", path=path) as session:
            return reading.list_files(session, path, depth=depth, glob=glob)

    @operation("workspace_file_read", effect="reads", profiles=CORE)
    def read(
        self,
        workspace: WorkspaceRef,
        path: GuestPath,
        *,
        start_line: StartLine = 1,
        end_line: EndLine = None,
        max_chars: MaxChars = None,
        encoding: Encoding = "utf-8",
    ) -> FileContent:
        """Read a file, or some of its lines, with its hash."""
        with self._sessions.using(workspace, "file.read", path=path) as session:
            return reading.read_file(
                session,
                path,
                start_line=start_line,
                end_line=end_line,
                max_chars=max_chars,
                encoding=encoding,
            )

    @operation("workspace_file_write", idempotent=True, effect="changes", profiles=CORE)
    def write(
        self,
        workspace: WorkspaceRef,
        path: GuestPath,
        content: Content,
        *,
        encoding: Encoding = "utf-8",
        if_match: IfMatch = None,
        executable: Executable = None,
    ) -> FileWritten:
        """Write one whole file, with its directories."""
        with self._sessions.using(workspace, "file.write", path=path) as session:
            return writing.write_file(
                session, path, content, encoding=encoding, if_match=if_match, executable=executable
            )

    @operation("workspace_file_edit", effect="changes", profiles=CORE)
    def edit(
        self, workspace: WorkspaceRef, path: GuestPath, edits: Edits, *, if_match: IfMatch = None
    ) -> FileEdited:
        """Replace exact texts in a file, all or none. Prefer it to rewriting the file."""
        with self._sessions.using(workspace, "file.edit", path=path) as session:
            return writing.edit_file(session, path, edits, if_match=if_match)

    @operation("workspace_file_search", title="Search files", effect="reads", profiles=CORE)
    def search(
        self,
        workspace: WorkspaceRef,
        pattern: Pattern,
        *,
        path: GuestTree = "/workspace",
        glob: Glob = None,
        context_lines: ContextLines = 0,
        limit: MatchLimit = 100,
    ) -> SearchResult:
        """Search the lines of all text files."""
        with self._sessions.using(workspace, "file.search", path=path, pattern=pattern) as session:
            return reading.search_files(
                session, pattern, path=path, glob=glob, context_lines=context_lines, limit=limit
            )

    @operation("workspace_file_remove", title="Remove or move file", effect="destroys", profiles=CORE)
    def remove(
        self,
        workspace: WorkspaceRef,
        path: GuestPath,
        *,
        to: MoveTo = None,
        recursive: Recursive = False,
    ) -> FileRemoved:
        """Delete a file or directory, or move it with `to`."""
        with self._sessions.using(workspace, "file.remove", path=path, to=to) as session:
            return writing.remove_file(session, path, to=to, recursive=recursive)
