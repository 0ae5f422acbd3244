"""A tree of lines: the one at hand is marked by a pointer, not by colour alone; branches open and close."""

from __future__ import annotations

from collections.abc import Iterator

from rich.style import Style
from rich.text import Text
from textual.geometry import Offset
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from smartos_wizard.reinstall.outline import Node
from smartos_wizard.screens.words import Marks

_FEW = 8
"""A branch with no more lines is open at first."""


class OutlineTree(Tree[Node]):
    """Shows what hangs below a node; the node itself stands in the title of the card around."""

    def __init__(self, marks: Marks, *, id: str) -> None:
        super().__init__("", id=id)
        self.show_root = False
        self.guide_depth = 3
        self._marks = marks

    def show(self, node: Node) -> None:
        """Put this tree in place of what is there."""
        self.clear()
        for each in node.below:
            self._hang(self.root, each)
        self.root.expand()
        self.call_after_refresh(self._first)

    def _first(self) -> None:
        self.cursor_line = max(self.cursor_line, 0)

    def _hang(self, below: TreeNode[Node], node: Node) -> None:
        if not node.below:
            _ = below.add_leaf(Text(node.text), node)
            return
        branch = below.add(Text(node.text), node, expand=len(node.below) <= _FEW)
        for each in node.below:
            self._hang(branch, each)

    def turn_all(self) -> None:
        """Open every branch; where all are open, close them."""
        closed = [node for node in self._branches(self.root) if not node.is_expanded]
        for branch in self.root.children:
            (branch.expand_all if closed else branch.collapse_all)()

    def _branches(self, below: TreeNode[Node]) -> Iterator[TreeNode[Node]]:
        for node in below.children:
            if node.children:
                yield node
                yield from self._branches(node)

    def render_label(self, node: TreeNode[Node], base_style: Style, style: Style) -> Text:
        """The label with a mark before a branch, and the pointer before the line at hand."""
        label = node.label.copy() if isinstance(node.label, Text) else Text(str(node.label))
        label.stylize(style)
        here = node is self.cursor_node
        mark = "  " if not node.children else "- " if node.is_expanded else "+ "
        return Text.assemble((self._marks.pointer if here else " ", base_style), (mark, base_style), label)

    def too_long(self, node: TreeNode[Node]) -> bool:
        """Whether its line does not fit."""
        depth, above = 0, node.parent
        while above is not None:
            depth, above = depth + 1, above.parent
        words = node.data.text if node.data is not None else ""
        return len(words) + 3 + depth * self.guide_depth > self.content_region.width

    def cursor(self) -> Offset:
        """Where the hardware cursor belongs on the screen."""
        return Offset(
            self.content_region.x, self.content_region.y + max(0, self.cursor_line) - self.scroll_offset.y
        )
