"""An MCP server in the place of the one that the standard's example starts: it echoes messages."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("slack")


@server.tool()
def conversations_add_message(
    channel_id: str, thread_ts: str, payload: str, content_type: str
) -> str:
    """The message, as it would be published."""
    return payload


if __name__ == "__main__":
    server.run()
