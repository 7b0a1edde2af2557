"""HTTP routes of auth: register, sign in, who am I, sign out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response

from tokenx_api.auth import service
from tokenx_api.auth.errors import ForgedRequest
from tokenx_api.auth.models import Actor, LoginRequest, MeView, SessionView, UserView
from tokenx_api.auth.rules import origin_refusal
from tokenx_api.auth.service import SESSION_COOKIE, SESSION_LIFE, LoginThrottle
from tokenx_api.context import AppContext
from tokenx_api.deps import AnyActor, Context, Write
from tokenx_api.users import service as users
from tokenx_api.users.models import DisplayName, EmailAddress, Password
from tokenx_common.wire import WireModel

router = APIRouter(prefix="/v1/auth", tags=["auth"])


class RegisterRequest(WireModel):
    """Staff accounts are not for registration: the operator's tool makes them."""

    email: EmailAddress
    password: Password
    display_name: DisplayName
    persona: Literal["investor", "issuer"]


def _throttle(request: Request) -> LoginThrottle:
    state = request.app.state
    if not hasattr(state, "login_throttle"):
        state.login_throttle = LoginThrottle()
    throttle: LoginThrottle = state.login_throttle
    return throttle


def _own_origin(request: Request, context: Context) -> None:
    refusal = origin_refusal(request.headers.get("origin"), context.settings.web_origins)
    if refusal is not None:
        raise ForgedRequest(refusal)


@router.post("/register", status_code=201, dependencies=[Depends(_own_origin)])
async def register(body: RegisterRequest, context: Context) -> UserView:
    """Open an account as investor or issuer."""
    password_hash = await users.hash_password(body.password)  # before the transaction: it takes a while
    async with context.db.write() as conn:
        user_id = await users.create_user(
            conn,
            email=body.email,
            display_name=body.display_name,
            password_hash=password_hash,
            personas=[body.persona],
        )
    return UserView(user_id=user_id, email=body.email, display_name=body.display_name, personas=[body.persona],
                    investor_id=None, issuer_id=None)  # fmt: skip


@router.post("/sessions", status_code=201, dependencies=[Depends(_own_origin)])
async def sign_in(
    body: LoginRequest,
    request: Request,
    response: Response,
    context: Context,
    throttle: Annotated[LoginThrottle, Depends(_throttle)],
) -> SessionView:
    """Open a session: a cookie for browsers, the same token as a bearer for programs."""
    email, ip = body.email.lower(), request.client.host if request.client else ""
    throttle.start(email=email, ip=ip, at=context.clock.now())
    async with context.db.read() as conn:
        found = await users.credential(conn, email)
    credential = await service.check_password(found, body.password)  # no connection is held while it works
    throttle.succeeded(email=email, ip=ip)
    async with context.db.write() as conn:
        session, actor = await service.open_session(conn, user_id=credential.user_id, now=context.clock.now())
    _set_cookie(response, session.token, context)
    return SessionView(token=session.token, csrf_token=session.csrf_token, user=_view(actor))


@router.get("/me")
async def me(actor: AnyActor) -> MeView:
    """The signed-in user."""
    return MeView(**_view(actor).model_dump(), csrf_token=actor.csrf_token)


@router.delete("/sessions/current", status_code=204)
async def sign_out(actor: AnyActor, request: Request, response: Response, conn: Write) -> None:
    """End this session."""
    await service.close_session(conn, request=request, actor=actor)
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")


def _set_cookie(response: Response, token: str, context: AppContext) -> None:
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(SESSION_LIFE.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=context.settings.tokenx_env == "prod",
    )


def _view(actor: Actor) -> UserView:
    return UserView(
        user_id=actor.user_id,
        email=actor.email,
        display_name=actor.display_name,
        personas=list(actor.personas),
        investor_id=actor.investor_id,
        issuer_id=actor.issuer_id,
    )
