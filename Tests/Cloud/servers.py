"""HTTP servers that stand before a database or in its place, with TLS where they have a certificate."""

import http.server
import ssl
import subprocess
import threading
import urllib.error
import urllib.request


def certificates(directory):
    """An authority, and a server's certificate of it."""
    script = """cd "$0"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=proxy
        echo subjectAltName=IP:127.0.0.1 >names
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt"""
    subprocess.run(["sh", "-ec", script, directory], check=True, capture_output=True)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # Clients that do not trust the certificate.


def start_server(handler, directory=None):
    server = Server(("127.0.0.1", 0), handler)
    if directory:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "server.crt", directory / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def proxy_to(port, prefix):
    """Takes the prefix away and passes on what is below it."""

    class Proxy(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not self.path.startswith(prefix + "/"):
                return self.answer(404, b"not below the prefix", {})
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
            request = urllib.request.Request(f"http://127.0.0.1:{port}{self.path[len(prefix):]}", body or None, headers,
                                             method=self.command)
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return self.answer(answer.status, answer.read(), answer.headers)
            except urllib.error.HTTPError as error:
                return self.answer(error.code, error.read(), error.headers)

        def answer(self, status, body, headers):
            self.send_response(status)
            for name in ("Content-Type", "Content-Encoding", "X-Influxdb-Error"):
                if headers.get(name):
                    self.send_header(name, headers[name])
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 204:
                self.wfile.write(body)

        do_GET = do_POST = pass_on

        def log_message(self, *arguments):
            pass

    return Proxy
