# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A dashboard that keeps its users in MySQL: what inventories/classic_ec2 runs behind nginx.

``GET /`` says which version runs and how many users there are, ``GET /users`` lists them, ``POST /users`` with a JSON
object ``{"name": ..., "email": ...}`` adds one. Its settings come from the environment.
"""

from __future__ import annotations

import os
import ssl
import typing as t
from contextlib import contextmanager

import pymysql
from flask import Flask, Response, jsonify, request

VERSION = "1.0.0"
#: As wide as an address may be (RFC 5321, 4.5.3.1).
TABLE = """
CREATE TABLE IF NOT EXISTS users (
  id INT AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  email VARCHAR(254) NOT NULL UNIQUE
)
"""

app = Flask(__name__)


def tls() -> ssl.SSLContext | None:
    """What the database proves itself by: the authorities in ``DB_CA``, empty for a database beside this container."""
    authorities = os.environ.get("DB_CA", "")
    return ssl.create_default_context(cafile=authorities) if authorities else None


@contextmanager
def database() -> t.Iterator[t.Any]:
    """A cursor on the database, whose table is there; what was done is kept unless it failed."""
    connection = pymysql.connect(
        host=os.environ["DB_HOST"],
        port=int(os.environ.get("DB_PORT", "3306")),
        user=os.environ["DB_USER"],
        password=os.environ["DB_PASSWORD"],
        database=os.environ["DB_NAME"],
        ssl=tls(),
        connect_timeout=5,
        cursorclass=pymysql.cursors.DictCursor,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
        yield cursor
        connection.commit()


@app.get("/")
def front_page() -> Response:
    with database() as cursor:
        cursor.execute("SELECT COUNT(*) AS users FROM users")
        return jsonify(version=VERSION, environment=os.environ.get("APP_ENV", "development"), **cursor.fetchone())


@app.get("/users")
def list_users() -> Response:
    with database() as cursor:
        cursor.execute("SELECT name, email FROM users ORDER BY id")
        return jsonify(cursor.fetchall())


@app.post("/users")
def add_user() -> tuple[Response, int]:
    wanted = request.get_json()
    user = {key: str(wanted.get(key, "")).strip() for key in ("name", "email")}
    if not all(user.values()):
        return jsonify(error="write a name and an email"), 400
    try:
        with database() as cursor:
            cursor.execute("INSERT INTO users (name, email) VALUES (%(name)s, %(email)s)", user)
    except pymysql.err.IntegrityError:
        return jsonify(error="this email is taken"), 409
    return jsonify(user), 201
