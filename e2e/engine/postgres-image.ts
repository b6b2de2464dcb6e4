// Debian's PostgreSQL with its clients, for the proofs of TCP. Everybody who connects is its administrator.
import { build } from './labelled-image.ts'

const dockerfile = `
FROM node:24-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends postgresql postgresql-contrib && rm -rf /var/lib/apt/lists/*
ENV PATH=/usr/lib/postgresql/15/bin:$PATH
USER postgres
WORKDIR /var/lib/postgresql
RUN initdb --auth=trust --pgdata=own && echo "host all all all trust" >> own/pg_hba.conf
HEALTHCHECK --interval=1s --timeout=5s CMD pg_isready -h 127.0.0.1
CMD ["postgres", "-D", "own", "-h", "*"]
`

/** The packages come from Debian's archive, which takes a while. */
export const buildPostgres = (tag: string): Promise<void> => build(tag, dockerfile, 400_000)
