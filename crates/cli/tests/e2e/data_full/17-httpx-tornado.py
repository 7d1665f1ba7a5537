"""A server of tornado's on this machine, asked by httpx."""
import asyncio

import httpx
import tornado.web


class Hello(tornado.web.RequestHandler):
    def get(self):
        self.write({"hello": self.get_argument("name")})


async def main():
    server = tornado.web.Application([("/", Hello)]).listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/", params={"name": "Ann"})
        print(answer.status_code, answer.json())
    server.stop()


asyncio.run(main())
