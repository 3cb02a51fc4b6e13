"""The platform of Open edX (lti-consumer-xblock) behind a small HTTP server. Prints its port.

Usage: open_edx_platform.py TOOL_ORIGIN
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlparse

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

settings.configure(
    PLATFORM_NAME="Example University",
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    INSTALLED_APPS=[],
    SECRET_KEY="for tests",
    USE_TZ=True,
)
django.setup()

from edx_django_utils.cache import RequestCache  # noqa: E402
from lti_consumer.data import Lti1p3LaunchData  # noqa: E402
from lti_consumer.lti_1p3.consumer import LtiAdvantageConsumer  # noqa: E402

tool = sys.argv[1]
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
pem = key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


def consumer_for(launch):
    """A consumer serves one launch."""
    consumer = LtiAdvantageConsumer(
        iss=origin,
        lti_oidc_url=f"{tool}/lti/login",
        lti_launch_url=f"{tool}/lti/launch",
        client_id="porthole",
        deployment_id="1",
        rsa_key=pem,
        rsa_key_id="edx-1",
        redirect_uris=[f"{tool}/lti/launch"],
        tool_keyset_url=f"{tool}/lti/jwks",
    )
    consumer.set_user_data(
        user_id=launch["user"], role=launch["role"], full_name="Anna Example", preferred_username=launch["username"]
    )
    consumer.set_resource_link_claim("link-1", title="Lab 3")
    consumer.set_context_claim(launch["context"], context_title="Networks")
    consumer.set_custom_parameters(launch.get("custom", {}))
    consumer.enable_nrps(f"{origin}/memberships")
    if launch.get("deepLinking"):
        consumer.enable_deep_linking(f"{tool}/lti/launch", f"{origin}/deep-link-return")
    return consumer


launches = {}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_args):
        pass

    def answer(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length", 0))).decode()

    def do_GET(self):
        RequestCache.clear_all_namespaces()
        url = urlparse(self.path)
        if url.path == "/jwks":
            return self.answer(consumer_for(example).get_public_keyset())
        if url.path == "/auth":
            query = dict(parse_qsl(url.query))
            launch = launches[query["lti_message_hint"]]
            return self.answer(consumer_for(launch).generate_launch_request(query))
        if url.path == "/memberships":
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            scope = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
            if not consumer_for(example).check_token(token, [scope]):
                return self.answer({}, 403)
            member = {"user_id": "1", "status": "Active", "roles": ["Learner"], "email": "anna"}
            return self.answer({"id": f"{origin}/memberships", "members": [member]})
        return self.answer({}, 404)

    def do_POST(self):
        RequestCache.clear_all_namespaces()
        path = urlparse(self.path).path
        if path == "/begin":
            launch = json.loads(self.body())
            data = Lti1p3LaunchData(
                user_id=launch["user"],
                user_role=launch["role"],
                config_id="1",
                resource_link_id="link-1",
                message_type="LtiDeepLinkingRequest" if launch.get("deepLinking") else "LtiResourceLinkRequest",
            )
            url = consumer_for(launch).prepare_preflight_url(data)
            launches[dict(parse_qsl(urlparse(url).query))["lti_message_hint"]] = launch
            return self.answer({"url": url})
        form = dict(parse_qsl(self.body()))
        if path == "/token":
            return self.answer(consumer_for(example).access_token(form))
        if path == "/deep-link-return":
            consumer = consumer_for({**example, "deepLinking": True})
            return self.answer(consumer.check_and_decode_deep_linking_token(form["JWT"]))
        return self.answer({}, 404)


example = {"user": "1", "role": "student", "username": "anna", "context": "course-1"}
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
origin = f"http://127.0.0.1:{server.server_port}"
print(server.server_port, flush=True)
server.serve_forever()
