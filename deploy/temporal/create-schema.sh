#!/bin/sh
# Makes Temporal's two databases, or brings them up to date. Address and user are in SQL_*.
set -eu

for name in temporal visibility; do
    [ "$name" = temporal ] && database=temporal || database=temporal_visibility
    temporal-sql-tool --db "$database" create
    temporal-sql-tool --db "$database" setup-schema -v 0.0
    temporal-sql-tool --db "$database" update-schema \
        -d "/etc/temporal/schema/postgresql/v12/$name/versioned"
done
