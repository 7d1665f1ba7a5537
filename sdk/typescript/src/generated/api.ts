// Made from /openapi.json by `npm run generate`; not edited by hand.

export interface paths {
    "/api/v1/doctor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The doctor's table: whether this host can be trusted with the work.
         * @description `checks`: a list of `id`, `status` (`pass`, `warn`, `fail`), `seen`, `why`, `fix`.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The table */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": unknown;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Security events, oldest first; with `Accept: text/event-stream` or `application/x-ndjson` also those that come.
         * @description What this keeps is short; the audit log has everything.
         */
        get: {
            parameters: {
                query?: {
                    /** @description Events to look back to, 0 to 1000. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Events */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": unknown[];
                        "text/event-stream": string;
                        "application/x-ndjson": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/execute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run a program in a VM of its own.
         * @description With `Accept: text/event-stream` the output comes as it is printed: events `stdout` and `stderr`
         *     (`{"data": "…"}`), then one `result` with the body that the other form answers with. A client
         *     that goes away ends its job. With `Accept: application/x-ndjson` the same comes as lines of JSON, each with its event's
         *     name as `event`.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ExecuteRequest"];
                };
            };
            responses: {
                /** @description The program ran; `status` says how it ended */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ExecuteResponse"];
                        "text/event-stream": string;
                        "application/x-ndjson": string;
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Time series of the last hour or day: jobs by status, latency, load, memory, refusals. Numbers of the whole service. */
        get: {
            parameters: {
                query?: {
                    /** @description 60: the last hour; 1440: the last day. 60 where it is absent. */
                    minutes?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The series */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["HistoryBody"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Jobs that run and those that ended lately, newest first: a key's own, or with the scope `admin` those of all keys.
         * @description How many are remembered, and for how long, the operator says (`[server.kept_jobs]`).
         */
        get: {
            parameters: {
                query?: {
                    /** @description How many at most, 1 to 1000; 100 where it is absent. */
                    limit?: number;
                    /** @description Only those of the key with this id; of use to who sees all keys'. */
                    key?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Jobs */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JobRow"][];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One job, with its result, what it left, and its events, as far as they are remembered. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description Its id, or the trace_id that its answer had */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The job */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["JobDetail"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/artifacts/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A file that a job left, as it is, to be saved. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The job */
                    id: string;
                    /** @description The file's path below /work/out, its slashes as %2F: `href` of the job has it so */
                    name: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Its bytes */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": number[];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/languages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The languages that programs may be written in. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Languages */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LanguageBody"][];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rootfs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The images that VMs boot from. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Images */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RootfsBody"][];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This key's sandboxes, oldest first. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Sandboxes */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SandboxBody"][];
                    };
                };
            };
        };
        put?: never;
        /** Begin a sandbox: a VM that stays, for processes and files. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SandboxRequest"];
                };
            };
            responses: {
                /** @description It began */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SandboxBody"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One sandbox. Looking at it counts as use. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The sandbox */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SandboxBody"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /** End a sandbox, with all that runs in it; its VM is destroyed. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It ended */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        /** Give a sandbox more time: its total time begins anew. */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ExtendRequest"];
                };
            };
            responses: {
                /** @description The sandbox */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SandboxBody"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/contexts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The sandbox's contexts, oldest first. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Contexts */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ContextBody"][];
                    };
                };
            };
        };
        put?: never;
        /** Make a context: an interpreter that keeps its variables from one cell to the next. It starts with its first cell. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ContextRequest"];
                };
            };
            responses: {
                /** @description It is there */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ContextBody"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/contexts/{context}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a context, with its interpreter and all that its cells started. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                    /** @description The context */
                    context: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is gone */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/contexts/{context}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All that is told of a context, from an event on, as it comes. The newest MiB is kept; what is no longer is left
         *     out.
         * @description Each event's `id` is where to go on, so a client that comes back with `Last-Event-ID` misses nothing.
         */
        get: {
            parameters: {
                query?: {
                    /** @description The first byte that is wanted; absent: all that is kept. */
                    from?: number;
                };
                header?: {
                    /** @description Where to go on, before `from` */
                    "Last-Event-ID"?: number | null;
                };
                path: {
                    /** @description The sandbox */
                    id: string;
                    /** @description The context */
                    context: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What is told, as it comes */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": components["schemas"]["EventBody"];
                        "application/x-ndjson": components["schemas"]["CellTold"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/contexts/{context}/interrupt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Interrupt the cell that runs, as Ctrl-C would; nothing where none does. Variables stay. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                    /** @description The context */
                    context: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It was told */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/contexts/{context}/restart": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the interpreter, with all variables and all that its cells started; the next cell gets a new one. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                    /** @description The context */
                    context: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is gone */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/entries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A folder's entries, at most 4096 of them. */
        get: {
            parameters: {
                query: {
                    /**
                     * @description Absolute, at most 4096 bytes.
                     * @example /work
                     */
                    path: string;
                    /** @description Levels of folders, 1 to 32; absent: its own entries. */
                    depth?: number;
                };
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Entries */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EntriesBody"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/entries/stat": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One entry; of a link, not of what it leads to. */
        get: {
            parameters: {
                query: {
                    /**
                     * @description Absolute, at most 4096 bytes.
                     * @example /work/hello.txt
                     */
                    path: string;
                };
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The entry */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EntryBody"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/execute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run a cell in a context, after those that were handed in before. It finds what they left: variables, functions,
         *     the folder.
         * @description The answer is whole, or with `Accept: text/event-stream` or `application/x-ndjson` comes as the cell runs. A client
         *     that goes away ends nothing, unless `on_disconnect` says `kill`: then the cell is interrupted.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ExecuteCellRequest"];
                };
            };
            responses: {
                /** @description It ran; `status` says how it ended */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ExecuteCellBody"];
                        "text/event-stream": components["schemas"]["EventBody"];
                        "application/x-ndjson": components["schemas"]["CellTold"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A file's bytes. Where the file cannot be read to its end the answer breaks off: it has no last chunk. */
        get: {
            parameters: {
                query: {
                    /**
                     * @description Absolute, at most 4096 bytes.
                     * @example /work/hello.txt
                     */
                    path: string;
                };
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Its bytes */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": number[];
                    };
                };
            };
        };
        /**
         * Put a file, of any size: the body's bytes as they are. Folders above it are made. A file that is there is replaced
         *     once all bytes are in; until then, and where the client goes away halfway, it stays as it was.
         */
        put: {
            parameters: {
                query: {
                    /**
                     * @description Absolute, at most 4096 bytes.
                     * @example /work/hello.txt
                     */
                    path: string;
                };
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/octet-stream": number[] | null;
                };
            };
            responses: {
                /** @description It is there */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WrittenBody"];
                    };
                };
            };
        };
        post?: never;
        /** Remove a file, or a folder with all that is in it. */
        delete: {
            parameters: {
                query: {
                    /**
                     * @description Absolute, at most 4096 bytes.
                     * @example /work/hello.txt
                     */
                    path: string;
                };
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is gone */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/files/watch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tell what changes in a folder, until the client goes, the sandbox ends or the folder is gone: server-sent events, or
         *     lines of JSON with `Accept: application/x-ndjson`. Sixteen at one time, of 1024 folders each.
         */
        get: {
            parameters: {
                query: {
                    /**
                     * @description Absolute, at most 4096 bytes.
                     * @example /work
                     */
                    path: string;
                    /** @description Levels of folders, 1 to 32; absent: its own entries. */
                    depth?: number;
                };
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description What changes, as it happens */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": components["schemas"]["EventBody"];
                        "application/x-ndjson": components["schemas"]["WatchBody"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/folders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a folder, and those above it. One that is there is fine. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["FolderRequest"];
                };
            };
            responses: {
                /** @description It is there */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give a file or a folder another path. A file that is there is replaced. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["MoveRequest"];
                };
            };
            responses: {
                /** @description It is there */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/processes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The sandbox's processes that were started and not forgotten, oldest first. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Processes */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ProcessBody"][];
                    };
                };
            };
        };
        put?: never;
        /**
         * Start a process. It runs on when its client goes, unless `on_disconnect` says `kill`.
         * @description With `background: false` the answer is what the process writes, as it comes, and its end: server-sent events, or
         *     lines of JSON with `Accept: application/x-ndjson`. The first is `started` with the process, then `output`, at the
         *     end `exit`.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ProcessRequest"];
                };
            };
            responses: {
                /** @description Its output as it comes */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": components["schemas"]["EventBody"];
                        "application/x-ndjson": components["schemas"]["Told"];
                    };
                };
                /** @description It runs */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ProcessBody"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/processes/{process}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One process. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                    /** @description The process */
                    process: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The process */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ProcessBody"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /** Kill a process, with all that it started, and forget it and its output. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                    /** @description The process */
                    process: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is gone */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/processes/{process}/output": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a process writes, from an offset on, as it comes, and its end. What is no longer kept is left out: the first
         *     `output` then has a later offset.
         * @description Each event's `id` is where to go on, so a client that comes back with `Last-Event-ID` misses nothing.
         */
        get: {
            parameters: {
                query?: {
                    /** @description The first byte that is wanted; absent: all that is kept. */
                    from?: number;
                };
                header?: {
                    /** @description Where to go on, before `from` */
                    "Last-Event-ID"?: number | null;
                };
                path: {
                    /** @description The sandbox */
                    id: string;
                    /** @description The process */
                    process: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Its output as it comes */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/event-stream": components["schemas"]["EventBody"];
                        "application/x-ndjson": components["schemas"]["Told"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/processes/{process}/resize": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give a process' terminal another size. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                    /** @description The process */
                    process: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SizeBody"];
                };
            };
            responses: {
                /** @description It has it */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/processes/{process}/signal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a signal to a process. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                    /** @description The process */
                    process: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SignalRequest"];
                };
            };
            responses: {
                /** @description It was sent */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/processes/{process}/stdin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Append the body's bytes, of any number, to a process' standard input. The answer comes when the sandbox has taken
         *     all of them, which waits for the process to read. A client that goes away halfway has sent what it sent.
         */
        post: {
            parameters: {
                query?: {
                    /** @description Nothing more: standard input is closed behind them. */
                    close?: boolean;
                };
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                    /** @description The process */
                    process: number;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/octet-stream": number[];
                };
            };
            responses: {
                /** @description It was taken */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sandboxes/{id}/processes/{process}/terminal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A terminal for people: a WebSocket whose binary frames are the terminal's bytes, both ways. A text frame
         *     `{"rows": 24, "columns": 80}` gives it another size; `{"flow": "pause"}` has it send nothing, for at most
         *     `header_seconds`, until `{"flow": "resume"}`. Closing it ends nothing, unless the process' `on_disconnect` is `kill`.
         *     A text frame `{"replayed": …}` says that what was kept is shown and what comes is new, `{"expiring": …}` that the sandbox ends by itself soon. When the process ends, a text frame
         *     `{"exit": …}` says how, and the socket closes.
         * @description A browser names the protocols `llm-firecracker.terminal` and `llm-firecracker.key.KEY`, for it cannot send a key
         *     with a WebSocket in another way.
         */
        get: {
            parameters: {
                query?: {
                    /** @description The first byte that is wanted; absent: all that is kept. */
                    from?: number;
                };
                header?: never;
                path: {
                    /** @description The sandbox */
                    id: string;
                    /** @description The process */
                    process: number;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It goes on as a WebSocket */
                101: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This key's sessions. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Sessions */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionBody"][];
                    };
                };
            };
        };
        put?: never;
        /** Begin a session: a VM that stays between programs. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["SessionRequest"];
                };
            };
            responses: {
                /** @description It began */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionBody"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One session. Looking at it counts as use. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The session */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The session */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionBody"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /** End a session; its VM is destroyed. */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The session */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It ended */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        /** Give a session more time: its total time begins anew. It may be at work meanwhile. */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The session */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ExtendRequest"];
                };
            };
            responses: {
                /** @description The session */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SessionBody"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/sessions/{id}/execute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run a program in the session. Python and node keep their variables from one to the next.
         * @description With `Accept: text/event-stream` the output comes as it is printed: events `stdout` and `stderr`
         *     (`{"data": "…"}`), then one `result` with the body that the other form answers with, or one `problem`
         *     where there is none. With `Accept: application/x-ndjson` the same comes as lines of JSON, each with its event's name as
         *     `event`.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The session */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CellRequest"];
                };
            };
            responses: {
                /** @description It ran */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CellResponse"];
                        "text/event-stream": string;
                        "application/x-ndjson": string;
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The files of the session's work folder. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The session */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Files */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FileBody"][];
                    };
                };
            };
        };
        /**
         * Put a file of any size into the session's work folder: the body's bytes as they are. Folders above it are made. A file
         *     that is there is replaced once all bytes are in.
         */
        put: {
            parameters: {
                query: {
                    /**
                     * @description Relative to the work folder.
                     * @example hello.txt
                     */
                    path: string;
                };
                header?: never;
                path: {
                    /** @description The session */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/octet-stream": number[] | null;
                };
            };
            responses: {
                /** @description It is there */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FileBody"];
                    };
                };
            };
        };
        /** Put a file into the session's work folder: a small one, within JSON. `PUT` takes any size. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The session */
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["FileUpload"];
                };
            };
            responses: {
                /** @description It is there */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FileBody"];
                    };
                };
            };
        };
        /** Remove a file of the session's work folder, or a folder with all that is in it. */
        delete: {
            parameters: {
                query: {
                    /**
                     * @description Relative to the work folder.
                     * @example hello.txt
                     */
                    path: string;
                };
                header?: never;
                path: {
                    /** @description The session */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is gone */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/files/content": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A file of the session's work folder, as it is. */
        get: {
            parameters: {
                query: {
                    /**
                     * @description Relative to the work folder.
                     * @example hello.txt
                     */
                    path: string;
                };
                header?: never;
                path: {
                    /** @description The session */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Its bytes */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/octet-stream": number[];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}/interrupt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Interrupt the session's program, as Ctrl-C would; nothing where none is at work. Variables stay where the program
         *     lets them: Python's and Node's do, another program ends by the signal.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    /** @description The session */
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It was told */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/snapshots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The snapshots that VMs are cloned from. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Snapshots */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SnapshotBody"][];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The state of the service: load, pool, latency, jobs, sandboxes. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description State */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["StatusBody"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a key used: its own, or with the scope `admin` that of all keys. */
        get: {
            parameters: {
                query?: {
                    /** @description Only of the key with this id or name. */
                    key?: string;
                    /** @description So long ago (`24h`, `7d`), or a day (`2026-11-01`); days count as a whole. `30d` where it is absent. */
                    since?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Usage */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["UsageReport"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/whoami": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The key that asks: its name, scopes and limits. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The key */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["WhoamiBody"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/execute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run a program, in Piston's words. */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["PistonRequest"];
                };
            };
            responses: {
                /** @description The program ran */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["PistonResponse"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/runtimes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What can be run, in Piston's words. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Runtimes */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["RuntimeBody"][];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process answers. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Alive */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Health"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All metrics in Prometheus' text format. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Metrics */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "text/plain": string;
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether jobs are taken; where not, each check that is not good says why and what to do. */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Ready */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Readiness"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A file that a job left. */
        ArtifactBody: {
            /**
             * @description MIME type → content: text as it is, JSON byte for byte (nested 100 deep at most, else as text),
             *     everything else as base64.
             */
            data: {
                [key: string]: unknown;
            };
            /** @description The type that `data` has it under. */
            mime_type: string;
            /** @description Its path below `/work/out`. */
            name: string;
            /**
             * Format: int64
             * @description In bytes.
             */
            size: number;
        };
        BTreeMap: {
            [key: string]: string;
        };
        /** @description How a cell ended. */
        CellEndBody: {
            /**
             * Format: double
             * @description Seconds that it ran.
             */
            exec_time: number;
            /**
             * Format: int32
             * @description What it would have exited with as a program.
             */
            exit_code?: number | null;
            /** @description What held it. */
            isolation: components["schemas"]["IsolationBody"];
            lost?: null | components["schemas"]["LostBody"];
            /** @description `ok`, `error`, `timeout`, `oom` or `killed`. */
            status: string;
            /** @description What stopped it: `interrupt`, `timeout`, `output` or `context`. */
            stopped?: string | null;
        };
        /** @description An error that a program did not catch. */
        CellError: {
            /** @description Its class. */
            name: string;
            /** @description Its traceback. */
            traceback: string;
            /** @description Its message. */
            value: string;
        };
        /** @description An error that a cell did not catch. */
        CellErrorBody: {
            /** @description Its class. */
            name: string;
            /** @description Its traceback. */
            traceback: string;
            /** @description Its message. */
            value: string;
        };
        /**
         * @description A program for a session.
         * @example {
         *       "code": "x = 41\nx + 1"
         *     }
         */
        CellRequest: {
            /** @description The program. */
            code: string;
            /** @description Added to its environment. */
            env?: {
                [key: string]: string;
            } | null;
            /** @description Fed to it. */
            stdin?: string | null;
            /**
             * Format: double
             * @description Seconds that it may run.
             */
            timeout?: number | null;
            /** @description The job's name in events and logs. */
            trace_id?: string | null;
        };
        /** @description How a session's program ended, in the words of code interpreters. */
        CellResponse: {
            /** @description What it left in `/work/out`. */
            artifacts: components["schemas"]["ArtifactBody"][];
            error?: null | components["schemas"]["CellError"];
            error_info?: null | components["schemas"]["ErrorInfoBody"];
            /**
             * Format: double
             * @description Seconds that it ran.
             */
            exec_time: number;
            /**
             * Format: int32
             * @description Its exit code, where it was a process of its own.
             */
            exit_code?: number | null;
            limit?: null | components["schemas"]["LimitBody"];
            /** @description What it printed. */
            logs: components["schemas"]["Logs"];
            /** @description What else there is to know. */
            notes: string[];
            /** @description MIME type → data of each value shown, in order. */
            results: {
                [key: string]: string;
            }[];
            /** @description The same, as jobs and sandboxes tell it, too. */
            shown: {
                [key: string]: string;
            }[];
            /** @description `ok`, `error`, `timeout`, `oom` or `killed`. */
            status: string;
            /** @description The same of standard error. */
            stderr: string;
            /** @description The same as base64, when it is no UTF-8. */
            stderr_base64?: string | null;
            /** @description The same of standard output, as jobs and sandboxes tell it, too. */
            stdout: string;
            /** @description The same as base64, when it is no UTF-8. */
            stdout_base64?: string | null;
            /** @description Wall times. */
            timings: components["schemas"]["TimingsBody"];
            /** @description The job's name in events and logs. */
            trace_id: string;
        };
        /** @description One thing that is told, and its number: a client that comes back asks from `next_offset` on. */
        CellTold: components["schemas"]["What"] & {
            /**
             * Format: int64
             * @description Which cell's it is.
             */
            cell?: number | null;
            /**
             * Format: int64
             * @description Where to go on.
             */
            next_offset: number;
            /**
             * Format: int64
             * @description Its number among all that is told of the context.
             */
            offset: number;
        };
        /** @description One check. */
        Check: {
            /** @description One sentence: what is seen. */
            detail: string;
            /** @description What to do, where it is not good. */
            fix?: string | null;
            /** @description `serving`, `images`, `engine`, `pool` or `disk`. */
            name: string;
            /** @description It is good. */
            ok: boolean;
        };
        /** @description What a cell's answer has as a job's and a session's have it. */
        CommonBody: {
            /** @description None: files stay in the sandbox. */
            artifacts: components["schemas"]["ArtifactBody"][];
            error_info?: null | components["schemas"]["ErrorInfoBody"];
            /** @description What else there is to know. */
            notes: string[];
            /** @description MIME type → data of each value shown, in order. */
            shown: components["schemas"]["BTreeMap"][];
            /** @description What it printed to standard error. */
            stderr: string;
            /** @description The same as base64, when it is no UTF-8. */
            stderr_base64?: string | null;
            /** @description What it printed. */
            stdout: string;
            /** @description The same as base64, when it is no UTF-8. */
            stdout_base64?: string | null;
            /** @description Wall times; `queue` is until its interpreter began it. */
            timings: components["schemas"]["TimingsBody"];
        };
        /** @description A context. */
        ContextBody: {
            /**
             * Format: int64
             * @description Cells that it took so far.
             */
            cells: number;
            /** @description Where its interpreter starts. */
            cwd: string;
            /**
             * Format: int32
             * @description Its name in the sandbox.
             */
            id: number;
            /** @description What its cells are written in. */
            language: string;
            /**
             * Format: int32
             * @description Its interpreter among the sandbox's processes; `null`: the next cell gets a new one.
             */
            process?: number | null;
        };
        /**
         * @description A context that is wanted: an interpreter that keeps its variables.
         * @example {
         *       "cwd": "/work",
         *       "language": "python"
         *     }
         */
        ContextRequest: {
            /** @description The folder where it starts; absolute. Absent: `/work`. */
            cwd?: string | null;
            /** @description Added to the sandbox's environment. */
            env?: {
                [key: string]: string;
            } | null;
            /** @description python, node, typescript, bash, r or java, where the image has it; absent: the sandbox's own. */
            language?: string | null;
        };
        /** @description What a key used on one day. */
        DayUsage: {
            /** @description The day (UTC), as `2026-11-30`. */
            day: string;
            /** @description What it used. */
            used: components["schemas"]["UsageRow"];
        };
        /** @description Connections, requests or questions for a name that were refused for one reason. */
        DeniedBody: {
            /**
             * Format: int64
             * @description How often.
             */
            count: number;
            /** @description The host's name; of a connection that came by none, the address. */
            host: string;
            /** @description Why, and what to do. */
            message: string;
            /**
             * Format: int32
             * @description 0: it was a question for the name.
             */
            port: number;
            /** @description A stable word for why. */
            reason: string;
        };
        /** @description What came of a way out. */
        EgressBody: {
            /**
             * Format: int64
             * @description Connections that were made.
             */
            connections: number;
            /** @description What was refused, by place and reason; at most 64 kinds. */
            denied: components["schemas"]["DeniedBody"][];
            /**
             * Format: int64
             * @description Refusals of more kinds.
             */
            denied_others: number;
            /** @description The policy's name. */
            policy: string;
            /**
             * Format: int64
             * @description Bytes from there.
             */
            received_bytes: number;
            /**
             * Format: int64
             * @description Bytes to the outside.
             */
            sent_bytes: number;
        };
        /** @description A folder's entries. */
        EntriesBody: {
            /** @description In order of their paths. */
            entries: components["schemas"]["EntryBody"][];
            /** @description There were more. */
            truncated: boolean;
        };
        /** @description An entry of a folder. */
        EntryBody: {
            /** @description `file`, `folder`, `link` or `other`. */
            kind: string;
            /** @description Its permission bits, in octal. */
            mode: string;
            /** @description When its content changed last (RFC 3339, UTC); absent where the sandbox's clock says nonsense. */
            modified_at?: string | null;
            /** @description Absolute. */
            path: string;
            /**
             * Format: int64
             * @description In bytes.
             */
            size: number;
            /** @description Where a link leads. */
            target?: string | null;
        };
        /** @description Why code did not end well: `null` exactly where `status` is `ok`. */
        ErrorInfoBody: {
            /** @description The stable code, where the service had no result of the code; absent for what the code did. */
            code?: string | null;
            /** @description The class of what was not caught; else the `status`. */
            name: string;
            /** @description Its traceback; empty where there is none. */
            traceback: string;
            /** @description Its message; else one sentence about how it ended. */
            value: string;
        };
        /** @description One server-sent event, as the API's page describes it. */
        EventBody: {
            /** @description One line of JSON: what a line of the other form holds. */
            data: string;
            /** @description `started`, `output`, `expiring`, `exit` or `error`; of a watch, what happened. */
            event: string;
            /** @description Where to go on; absent where that is as before. */
            id?: string | null;
        };
        /** @description How a cell ended, and all that it showed and printed. */
        ExecuteCellBody: components["schemas"]["CommonBody"] & components["schemas"]["CellEndBody"] & {
            /**
             * Format: int64
             * @description Its number there.
             */
            cell: number;
            /**
             * Format: int32
             * @description Where it ran.
             */
            context: number;
            error?: null | components["schemas"]["CellErrorBody"];
            /** @description What others printed meanwhile: what cells before it left behind. */
            late: components["schemas"]["LateBody"][];
            /** @description What it printed. */
            logs: components["schemas"]["Logs"];
            /** @description It found a new interpreter, without the variables of before. */
            renewed: boolean;
            /** @description Values that it showed, in order. */
            results: components["schemas"]["ResultBody"][];
            /** @description Its sandbox's name in events and logs. */
            trace_id: string;
        };
        /**
         * @description A cell for a context.
         * @example {
         *       "code": "x = 41\nx + 1"
         *     }
         */
        ExecuteCellRequest: {
            /** @description Its arguments. */
            args?: string[] | null;
            /** @description The program. */
            code: string;
            context?: null | components["schemas"]["u32"];
            /** @description Set before it runs, and left so. */
            env?: {
                [key: string]: string;
            } | null;
            /** @description Without `context`: what it is written in; absent: the sandbox's own language. */
            language?: string | null;
            on_disconnect?: null | components["schemas"]["OnDisconnect"];
            /** @description Its whole standard input. */
            stdin?: string | null;
            /**
             * Format: double
             * @description Seconds that it may run; absent: as a job may. Then it is interrupted.
             */
            timeout?: number | null;
        };
        /**
         * @description A program to run.
         * @example {
         *       "code": "print(6 * 7)",
         *       "language": "python",
         *       "timeout": 5
         *     }
         */
        ExecuteRequest: {
            /** @description The program's arguments. */
            args?: string[] | null;
            /** @description Bring back what the program leaves in `/work/out`; on unless `false`. */
            artifacts?: boolean | null;
            /** @description The program, at most 1 MiB of UTF-8. */
            code: string;
            /**
             * Format: double
             * @description Seconds that the compiler may run.
             */
            compile_timeout?: number | null;
            /**
             * Format: int64
             * @description Seconds of CPU time that one process may use.
             */
            cpu_seconds?: number | null;
            /** @description The operator's policy for what the program may reach. Absent: it has no network. */
            egress?: string | null;
            /**
             * @description The program's file, relative to the work folder, such as `hello.mjs` or `src/app.py`; absent: `main` with the
             *     language's extension.
             */
            entry?: string | null;
            /** @description Added to the program's environment. */
            env?: {
                [key: string]: string;
            } | null;
            /**
             * Format: int64
             * @description The largest file that the program may write, in bytes.
             */
            file_size_bytes?: number | null;
            /** @description Put into the work folder before the program starts. */
            files?: components["schemas"]["RequestFile"][] | null;
            /** @description Start a new interpreter even where a loaded one waits (a new hash seed, for python). */
            fresh_interpreter?: boolean | null;
            /** @description An image that GET /api/v1/rootfs lists; absent: the language's own. */
            image?: string | null;
            /** @description The same under its short name; give one of the two. */
            lang?: string | null;
            /** @description A language that GET /api/v1/languages lists; absent: the first of `image`'s. */
            language?: string | null;
            /**
             * Format: int64
             * @description Memory of the VM, in MiB.
             */
            memory_mib?: number | null;
            /**
             * Format: double
             * @description Answer only at the next multiple of this many seconds, so that run times cannot be read off.
             */
            normalize_time?: number | null;
            /**
             * Format: int64
             * @description Bytes kept of stdout, and of stderr.
             */
            output_bytes?: number | null;
            /**
             * @description Packages that the program needs besides its image's: names with versions or without, such as `pandas>=2` for
             *     python or `lodash@4` for node. At most 64, and only where the operator allows it.
             */
            packages?: string[] | null;
            /**
             * Format: int64
             * @description Processes and threads at one time.
             */
            pids?: number | null;
            /** @description Fed to the program. */
            stdin?: string | null;
            /**
             * Format: double
             * @description Seconds that the program may run: above 0, at most 300.
             */
            timeout?: number | null;
            /**
             * @description The job's name in events and logs: 1 to 64 of `A-Z a-z 0-9 . _ -`. Absent: from the
             *     `traceparent` header, else a new UUIDv7.
             */
            trace_id?: string | null;
            /**
             * Format: int64
             * @description Virtual CPUs.
             */
            vcpus?: number | null;
        };
        /** @description How a job ended. */
        ExecuteResponse: {
            /** @description What it left in `/work/out`. */
            artifacts: components["schemas"]["ArtifactBody"][];
            egress?: null | components["schemas"]["EgressBody"];
            /** @description One sentence about why it is not `ok`. */
            error?: string | null;
            error_info?: null | components["schemas"]["ErrorInfoBody"];
            /**
             * Format: double
             * @description Seconds that the program ran.
             */
            exec_time: number;
            /**
             * Format: int32
             * @description The program's (or compiler's) exit code.
             */
            exit_code?: number | null;
            failure?: null | components["schemas"]["FailureBody"];
            isolation?: null | components["schemas"]["IsolationBody"];
            limit?: null | components["schemas"]["LimitBody"];
            /** @description What else there is to know. */
            notes: string[];
            /** @description `compile` or `execute`: where it ended. */
            phase?: string | null;
            /** @description MIME type → data of each value shown, in order; none but of a session's program. */
            shown: {
                [key: string]: string;
            }[];
            /**
             * Format: int32
             * @description The signal that ended it.
             */
            signal?: number | null;
            /** @description `ok`, `error`, `timeout`, `oom`, `killed`, `rejected` or `internal`. */
            status: string;
            /** @description What it, or its compiler, printed to standard error. */
            stderr: string;
            /** @description The same as base64, when it is no UTF-8. */
            stderr_base64?: string | null;
            /** @description Something was dropped from stderr. */
            stderr_truncated: boolean;
            /** @description What it printed; bytes that are no UTF-8 replaced. */
            stdout: string;
            /** @description The same as base64, when it is no UTF-8. */
            stdout_base64?: string | null;
            /** @description Something was dropped from stdout. */
            stdout_truncated: boolean;
            /** @description Wall times. */
            timings: components["schemas"]["TimingsBody"];
            /** @description The job's name in events and logs. */
            trace_id: string;
            /** @description What the job used. */
            usage: components["schemas"]["UsageBody"];
        };
        /** @description How a process ended. */
        ExitBody: {
            /**
             * Format: double
             * @description Seconds that it ran.
             */
            exec_time: number;
            /**
             * Format: int32
             * @description Its exit code, where it exited.
             */
            exit_code?: number | null;
            /** @description What holds its sandbox. */
            isolation: components["schemas"]["IsolationBody"];
            limit?: null | components["schemas"]["LimitBody"];
            /**
             * Format: int64
             * @description How often the limit of processes and threads refused a new one.
             */
            pids_refused: number;
            /**
             * Format: int32
             * @description The signal that ended it.
             */
            signal?: number | null;
            /** @description `ok`, `error`, `timeout`, `oom` or `killed`. */
            status: string;
            /** @description What it and what it started used. */
            usage: components["schemas"]["UsageBody"];
            /**
             * Format: int64
             * @description Bytes that it wrote, all its outputs together: the offset where its output ends.
             */
            written_bytes: number;
        };
        /** @description The sandbox ends by itself soon, unless it is used (`idle`) or given more time (`total`). */
        ExpiringBody: {
            /** @description Which limit ends it. */
            limit: components["schemas"]["Limit"];
            /**
             * Format: double
             * @description Seconds until then.
             */
            seconds_left: number;
        };
        /**
         * @description More time for a session or a sandbox.
         * @example {
         *       "timeout": 600
         *     }
         */
        ExtendRequest: {
            /**
             * Format: double
             * @description Seconds from now after which it ends; at most as configured.
             */
            timeout: number;
        };
        /** @description Why there is no result of the program. */
        FailureBody: {
            /** @description The stable code. */
            code: string;
            /** @description What happened. */
            message: string;
        };
        /** @description A file of a session. */
        FileBody: {
            /** @description Relative to the work folder. */
            path: string;
            /**
             * Format: int64
             * @description In bytes.
             */
            size: number;
        };
        /** @description A file for a session: `content` is text, or `data` is base64. */
        FileUpload: components["schemas"]["RequestFile"];
        /**
         * @description A folder that is wanted.
         * @example {
         *       "path": "/work/data/new"
         *     }
         */
        FolderRequest: {
            /** @description Absolute; folders above it are made, too. */
            path: string;
        };
        /** @description The process answers. */
        Health: {
            /** @description Requests need a key. */
            keys: boolean;
            /** @description Always `ok`. */
            status: string;
        };
        /** @description A time series. */
        HistoryBody: {
            /** @description Oldest first, without gaps since the service started; the last one is not over yet. */
            points: components["schemas"]["Point"][];
            /**
             * Format: int64
             * @description Seconds from one point to the next.
             */
            step_seconds: number;
        };
        /** @description What held a job. */
        IsolationBody: {
            /** @description `kvm` or `tcg`. */
            accelerator: string;
            /** @description `qemu` or `firecracker`. */
            engine: string;
            /**
             * @description What stands around a program inside its VM: `confined`, or `root` where programs of a sandbox were root. That
             *     wall is down then, and the VM is the wall.
             */
            guest: string;
            /** @description What stands around the VMM. */
            jail: string;
        };
        /** @description A file that a job left. */
        JobArtifact: {
            /** @description Where it can be had. */
            href: string;
            /** @description What its name says that it is. */
            mime_type: string;
            /** @description Its path below `/work/out`. */
            name: string;
            /**
             * Format: int64
             * @description In bytes.
             */
            size: number;
        };
        /** @description A job, and what is remembered of it. */
        JobDetail: {
            /** @description What it left in `/work/out`. */
            artifacts: components["schemas"]["JobArtifact"][];
            /** @description What was told of it, oldest first. */
            events: unknown[];
            /** @description In short. */
            job: components["schemas"]["JobRow"];
            result?: null | components["schemas"]["ExecuteResponse"];
        };
        /** @description One job, now or lately. */
        JobRow: {
            /**
             * Format: double
             * @description Seconds until a VM took it.
             */
            boot_seconds?: number | null;
            /** @description Why there is no result of the program: the stable code. */
            code?: string | null;
            /**
             * Format: double
             * @description CPU time of all its processes.
             */
            cpu_seconds?: number | null;
            /** @description What its VM ran under. */
            engine?: string | null;
            /**
             * Format: double
             * @description Seconds that compiler and program ran.
             */
            execute_seconds?: number | null;
            /**
             * Format: int32
             * @description The program's (or compiler's) exit code.
             */
            exit_code?: number | null;
            /** @description Its name here: no two jobs have the same. */
            id: string;
            /** @description What its VM booted from. */
            image: string;
            /** @description Its result is remembered. */
            kept: boolean;
            /** @description The id of its key; `local` without keys. */
            key: string;
            /** @description What that key is called. */
            key_name: string;
            /** @description What its program is written in. */
            language: string;
            /** @description The limit that ended it. */
            limit?: string | null;
            /**
             * Format: double
             * @description The most memory that it held, in MiB.
             */
            memory_peak_mib?: number | null;
            /** @description `pool`, `clone` or `boot`: which way its VM came. */
            path?: string | null;
            /**
             * Format: double
             * @description Seconds that it waited for its turn.
             */
            queue_seconds?: number | null;
            /** @description The session that it ran in. */
            session?: string | null;
            /**
             * Format: int32
             * @description The signal that ended it.
             */
            signal?: number | null;
            /** @description When it was asked for (RFC 3339, UTC). */
            started_at: string;
            /** @description `waiting`, `running`, or how it ended. */
            status: string;
            /**
             * Format: double
             * @description Seconds from its request to its end.
             */
            total_seconds?: number | null;
            /** @description Its name in events and logs, which its client may have chosen. */
            trace_id: string;
        };
        /** @description What one key used. */
        KeyUsage: {
            /** @description By day, oldest first; a day on which it used nothing is left out. */
            days: components["schemas"]["DayUsage"][];
            /** @description Its id; `local` without keys. */
            key: string;
            /** @description What it was called last. */
            key_name: string;
            /** @description All of it. */
            total: components["schemas"]["UsageRow"];
        };
        /** @description A language. */
        LanguageBody: {
            /** @description Names that Piston's route takes besides. */
            aliases: string[];
            /** @description Its image is there. */
            available: boolean;
            /** @description It has a compiler. */
            compiled: boolean;
            /** @description File extensions, without the dot. */
            extensions: string[];
            /** @description Its name in requests. */
            name: string;
            /** @description What its image holds. */
            runtime: string;
        };
        /** @description What came of a cell that is over. */
        LateBody: {
            /**
             * Format: int64
             * @description Which; `null`: nobody knows.
             */
            cell?: number | null;
            /** @description As text; bytes that are no UTF-8 replaced. */
            data: string;
            /** @description `stdout` or `stderr`. */
            stream: string;
        };
        /** @description How long jobs took lately. */
        Latency: {
            /** @description Jobs that the figures are of. */
            count: number;
            /**
             * Format: double
             * @description Half of them took at most this, in seconds.
             */
            p50_seconds: number;
            /**
             * Format: double
             * @description All but a twentieth took at most this, in seconds.
             */
            p95_seconds: number;
            /** @description `pool`, `clone` or `boot`. */
            path: string;
        };
        /**
         * @description What ends a sandbox by itself.
         * @enum {string}
         */
        Limit: "idle" | "total";
        /** @description The limit that ended a job. */
        LimitBody: {
            /** @description The name of the limit. */
            name: string;
            /** @description The forbidden system call. */
            syscall?: string | null;
            /** @description The unit of `value`. */
            unit: string;
            /**
             * Format: int64
             * @description Its value, in `unit`.
             */
            value: number;
        };
        /** @description How much a key may do. */
        LimitsBody: {
            /**
             * Format: int32
             * @description Requests at once on top of that.
             */
            burst: number;
            /** @description Jobs at one time, waiting ones included. */
            jobs: number;
            /**
             * Format: double
             * @description Requests a second, in the long run.
             */
            requests_per_second: number;
            /** @description Jobs that run at one time; 0: as many as may run, less a quarter where there are other keys. */
            running: number;
            /** @description Sessions and sandboxes at one time. */
            sessions: number;
        };
        /** @description What a program printed. */
        Logs: {
            /** @description To standard error. */
            stderr: string;
            /** @description To standard output. */
            stdout: string;
        };
        /** @description What became of an interpreter. The next cell finds a new one. */
        LostBody: {
            /** @description In one sentence. */
            detail: string;
            exit?: null | components["schemas"]["ExitBody"];
            /** @description `ended`, `not_interruptible`, `silent`, `misbehaved`, `not_started`, `restarted` or `sandbox_gone`. */
            reason: string;
        };
        /**
         * @description Another path for an entry.
         * @example {
         *       "from": "/work/a.txt",
         *       "to": "/work/b.txt"
         *     }
         */
        MoveRequest: {
            /** @description From where; absolute. */
            from: string;
            /** @description To where; absolute. A file that is there is replaced. */
            to: string;
        };
        /**
         * @description What becomes of a process when nobody follows it any more.
         * @enum {string}
         */
        OnDisconnect: "keep" | "kill";
        /** @description What a process wrote. */
        OutputBody: {
            /** @description The same as base64, when it is no UTF-8. */
            base64?: string | null;
            /** @description As text; bytes that are no UTF-8 replaced. */
            data: string;
            /**
             * Format: int64
             * @description Of the first byte behind it.
             */
            next_offset: number;
            /**
             * Format: int64
             * @description Of its first byte, among all that the process wrote.
             */
            offset: number;
            /** @description `stdout`, `stderr` or `terminal`. */
            stream: string;
        };
        /** @description An error, as Piston tells it. */
        PistonError: {
            /** @description One sentence. */
            message: string;
        };
        /** @description A file that comes with the program. */
        PistonFile: {
            /** @description Its content. */
            content: string;
            /** @description `utf8`, `base64` or `hex`. */
            encoding?: string | null;
            /** @description Its name; chosen when absent. */
            name?: string | null;
        };
        /**
         * @description A program to run, in Piston's words. Fields that are not here are ignored.
         * @example {
         *       "files": [
         *         {
         *           "content": "print(6 * 7)"
         *         }
         *       ],
         *       "language": "python",
         *       "version": "3.x"
         *     }
         */
        PistonRequest: {
            /** @description The program's arguments. */
            args?: string[] | null;
            /**
             * Format: double
             * @description Milliseconds of CPU time that the compiler may use.
             */
            compile_cpu_time?: number | null;
            /**
             * Format: double
             * @description Bytes of memory for the compiler; -1 for none of its own.
             */
            compile_memory_limit?: number | null;
            /**
             * Format: double
             * @description Milliseconds that the compiler may run.
             */
            compile_timeout?: number | null;
            /** @description The first one that is text is the program. */
            files: components["schemas"]["PistonFile"][];
            /** @description Name or alias of a language. */
            language: string;
            /**
             * Format: double
             * @description Milliseconds of CPU time that the program may use.
             */
            run_cpu_time?: number | null;
            /**
             * Format: double
             * @description Bytes of memory for the program; -1 for none of its own.
             */
            run_memory_limit?: number | null;
            /**
             * Format: double
             * @description Milliseconds that the program may run.
             */
            run_timeout?: number | null;
            /** @description Fed to the program; a line break is added when it does not end in one. */
            stdin?: string | null;
            /** @description A version selector as npm has them; `*` for any. */
            version: string;
        };
        /** @description How a program ended, in Piston's words. */
        PistonResponse: {
            compile?: null | components["schemas"]["Stage"];
            /** @description The language's name, not its alias. */
            language: string;
            /** @description The program; what the compiler did when that failed. */
            run: components["schemas"]["Stage"];
            /** @description The version that ran. */
            version: string;
        };
        /** @description An event that says no more than its name. */
        PlainBody: Record<string, never>;
        /** @description What happened in one step. */
        Point: {
            /**
             * Format: int64
             * @description When it began, in seconds since 1970 (UTC).
             */
            at: number;
            /** @description Jobs that ended, by status. */
            jobs: {
                [key: string]: number;
            };
            /** @description How long they took, by the way their VMs came. */
            latency: components["schemas"]["Latency"][];
            /**
             * Format: int64
             * @description Host memory that VMMs held, in bytes, at the last look.
             */
            memory_held_bytes: number;
            /**
             * Format: int64
             * @description VMs that waited in the pool, at the last look.
             */
            pool_ready: number;
            /**
             * Format: int64
             * @description The most jobs that waited at any look.
             */
            queue: number;
            /** @description Requests that were refused, by code. */
            refusals: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description The most jobs that ran at any look.
             */
            running: number;
        };
        /** @description VMs kept ready for one language. */
        PoolRow: {
            /** @description The language's name. */
            language: string;
            /** @description How many may wait at most. */
            max: number;
            /** @description How many should wait at least. */
            min: number;
            /** @description How many wait. */
            ready: number;
        };
        /** @description What was printed. */
        PrintedBody: {
            /** @description The same as base64, when it is no UTF-8. */
            base64?: string | null;
            /** @description As text; bytes that are no UTF-8 replaced. */
            data: string;
            /** @description Printed by what a cell that is over left behind. */
            late: boolean;
            /** @description `stdout` or `stderr`. */
            stream: string;
        };
        /** @description The body of an answer that is no success (RFC 9457). */
        ProblemBody: {
            /** @description The stable code: match on this. */
            code: string;
            /** @description What happened and what to do. */
            detail: string;
            /**
             * Format: int32
             * @description What a shell exits with where a process' program cannot be had: 127 where it is not there, 126 where it may not be
             *     executed.
             */
            exit_code?: number | null;
            /** @description The request's field, when one is to blame. */
            field?: string | null;
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The code in words. */
            title: string;
            /** @description The job's name in events and logs, when it has one. */
            trace_id?: string | null;
            /** @description Where this code is documented. */
            type: string;
        };
        /** @description A process. */
        ProcessBody: {
            /** @description The program and its arguments; in a list of processes their first KiB. */
            argv: string[];
            /** @description Where it started. */
            cwd: string;
            exit?: null | components["schemas"]["ExitBody"];
            /**
             * Format: int32
             * @description Its name in this API.
             */
            id: number;
            /** @description What holds its sandbox. */
            isolation: components["schemas"]["IsolationBody"];
            /** @description What becomes of it when nobody follows its output any more. */
            on_disconnect: components["schemas"]["OnDisconnect"];
            /**
             * Format: int32
             * @description Its number inside the sandbox.
             */
            pid: number;
            /** @description It has a terminal. */
            pty: boolean;
            /** @description When it started (RFC 3339, UTC). */
            started_at: string;
            /** @description As whom it runs. */
            user: components["schemas"]["UserBody"];
        };
        /** @description What one process and what it starts may use; absent: what the sandbox has. */
        ProcessLimitsRequest: {
            /**
             * Format: int64
             * @description Seconds of CPU time that one of its processes may use.
             */
            cpu_seconds?: number | null;
            /**
             * Format: int64
             * @description The largest file that it may write, in bytes.
             */
            file_size_bytes?: number | null;
            /**
             * Format: int64
             * @description Memory, in MiB.
             */
            memory_mib?: number | null;
            /**
             * Format: int64
             * @description Processes and threads at one time.
             */
            pids?: number | null;
            /**
             * Format: double
             * @description Seconds that it may run; at most a sandbox's longest time.
             */
            timeout?: number | null;
        };
        /**
         * @description A process that is wanted. `cmd` or `argv` says what it runs.
         * @example {
         *       "cmd": "python3 -m http.server",
         *       "limits": {
         *         "timeout": 60
         *       }
         *     }
         */
        ProcessRequest: {
            /** @description A program and its arguments, run without a shell. */
            argv?: string[] | null;
            /** @description Answer at once; `false`: answer with its output as it comes, and its end. */
            background?: boolean | null;
            /** @description A line for `/bin/bash -c`. */
            cmd?: string | null;
            /** @description The folder where it starts; absolute. Absent: `/work`. */
            cwd?: string | null;
            /** @description Added to the sandbox's environment. */
            env?: {
                [key: string]: string;
            } | null;
            /**
             * Format: int64
             * @description Bytes kept of its output for who asks later, at most 32 MiB; absent: 1 MiB.
             */
            kept_bytes?: number | null;
            limits?: null | components["schemas"]["ProcessLimitsRequest"];
            on_disconnect?: null | components["schemas"]["OnDisconnect"];
            pty?: null | components["schemas"]["SizeBody"];
            stdin?: null | components["schemas"]["StdinRequest"];
            user?: null | components["schemas"]["UserBody"];
        };
        /** @description Whether jobs are taken. */
        Readiness: {
            /** @description Each check. */
            checks: components["schemas"]["Check"][];
            /** @description All checks are good. */
            ready: boolean;
        };
        /**
         * @description A file that comes with the program: `content` is text, or `data` is base64.
         * @example {
         *       "content": "hello",
         *       "path": "hello.txt"
         *     }
         */
        RequestFile: {
            /** @description Its content as text. */
            content?: string | null;
            /** @description Its content as base64. */
            data?: string | null;
            /** @description Relative to the work folder. */
            path: string;
        };
        /** @description A value that was shown. */
        ResultBody: {
            /** @description MIME type → data: text, or base64. */
            data: components["schemas"]["BTreeMap"];
            /** @description It is that of the last expression. */
            is_result: boolean;
        };
        /** @description A root file system. */
        RootfsBody: {
            /** @description What is in it, in a few words. */
            about: string;
            /** @description When it was built. */
            built_at: string;
            /** @description The languages whose programs run in it; the first is meant where a job names none. */
            languages: string[];
            /** @description The image's name. */
            name: string;
            /** @description Packages in it. */
            packages: number;
            /** @description Its digest. */
            sha256: string;
            /**
             * Format: int64
             * @description In bytes.
             */
            size_bytes: number;
        };
        /** @description A runtime as Piston lists it. */
        RuntimeBody: {
            /** @description Other names it goes by. */
            aliases: string[];
            /** @description The language's name. */
            language: string;
            /** @description The runtime's own name. */
            runtime?: string | null;
            /** @description The version in the image. */
            version: string;
        };
        /** @description A sandbox. */
        SandboxBody: {
            /** @description When it began (RFC 3339, UTC). */
            created_at: string;
            /** @description When its total time is up (RFC 3339, UTC). */
            expires_at: string;
            /** @description Its name. */
            id: string;
            /**
             * Format: double
             * @description Seconds without a request after which it ends.
             */
            idle_timeout: number;
            /** @description What its VM booted from. */
            image: string;
            /** @description What holds it. */
            isolation: components["schemas"]["IsolationBody"];
            /** @description What cells are written in that name nothing. */
            language: string;
            /**
             * Format: int32
             * @description Memory of its VM, in MiB.
             */
            memory_mib: number;
            /** @description As it was sent. */
            metadata: {
                [key: string]: string;
            };
            /**
             * Format: double
             * @description Seconds of its total time.
             */
            timeout: number;
            /**
             * Format: int32
             * @description Its VM's virtual CPUs.
             */
            vcpus: number;
            /**
             * Format: int32
             * @description What its root file system takes in, in MiB of the memory; 0: it is read-only.
             */
            writable_mib: number;
        };
        /** @description What a sandbox may use; absent: as configured. */
        SandboxLimits: {
            /**
             * Format: int64
             * @description The largest file that a process may write, in bytes, unless the process has a limit of its own.
             */
            file_size_bytes?: number | null;
            /**
             * Format: int64
             * @description Memory of the VM, in MiB.
             */
            memory_mib?: number | null;
            /**
             * Format: int64
             * @description Processes and threads at one time, of all of it.
             */
            pids?: number | null;
            /**
             * Format: int64
             * @description Virtual CPUs.
             */
            vcpus?: number | null;
            /**
             * Format: int64
             * @description What the root file system takes in where it is `writable`, in MiB of the memory; absent: a quarter of it.
             */
            writable_mib?: number | null;
        };
        /**
         * @description A sandbox that is wanted.
         * @example {
         *       "language": "python",
         *       "metadata": {
         *         "user": "42"
         *       },
         *       "timeout": 600
         *     }
         */
        SandboxRequest: {
            /** @description In the environment of each process. */
            env?: {
                [key: string]: string;
            } | null;
            /**
             * Format: double
             * @description Seconds without a request after which it ends; at most as configured.
             */
            idle_timeout?: number | null;
            /**
             * @description What it has: an image that GET /api/v1/rootfs lists; absent: the language's own; without a language, too: `agent`
             *     where that is built, else python's.
             */
            image?: string | null;
            /** @description What cells are written in that name nothing; absent: the first of the image's, else python. */
            language?: string | null;
            limits?: null | components["schemas"]["SandboxLimits"];
            /** @description Kept and shown, not read: at most 16 texts of 256 bytes. */
            metadata?: {
                [key: string]: string;
            } | null;
            /**
             * @description Packages that it has besides its image's, of the language's registry: names with versions or without, such as
             *     `pandas>=2`. At most 64, and only where the operator allows it.
             */
            packages?: string[] | null;
            /**
             * Format: double
             * @description Seconds after which it ends; at most as configured.
             */
            timeout?: number | null;
            /** @description Let the root file system be written to, as far as `limits.writable_mib`; only where the operator allows it. */
            writable?: boolean | null;
        };
        /** @description A sandbox as an operator sees it, whoever's it is: nothing that its client wrote. */
        SandboxRow: {
            /** @description When it began (RFC 3339, UTC). */
            created_at: string;
            /** @description What its VM runs under. */
            engine: string;
            /** @description Its name. */
            id: string;
            /** @description What its VM booted from. */
            image: string;
            /** @description The id of its key; `local` without keys. */
            key: string;
            /** @description What cells are written in that name nothing. */
            language: string;
            /** @description What ends it if nobody does anything. */
            limit: components["schemas"]["Limit"];
            /**
             * Format: int32
             * @description Memory of its VM, in MiB.
             */
            memory_mib: number;
            /** @description Requests that use it now. */
            open_requests: number;
            /**
             * Format: double
             * @description Seconds until then.
             */
            seconds_left: number;
        };
        /** @description A session. */
        SessionBody: {
            /** @description A program, or a file on its way, has it now; whoever comes meanwhile gets 409 `session_busy`. */
            busy: boolean;
            /** @description When it began (RFC 3339, UTC). */
            created_at: string;
            /** @description When its total time is up (RFC 3339, UTC). */
            expires_at: string;
            /** @description Its name. */
            id: string;
            /**
             * Format: double
             * @description Seconds without use after which it ends.
             */
            idle_timeout: number;
            /** @description Its language. */
            language: string;
            /**
             * Format: int32
             * @description Memory of its VM, in MiB.
             */
            memory_mib: number;
            /**
             * Format: double
             * @description Seconds of its total time.
             */
            timeout: number;
            /**
             * Format: int32
             * @description Its VM's virtual CPUs.
             */
            vcpus: number;
        };
        /**
         * @description A session that is wanted.
         * @example {
         *       "idle_timeout": 120,
         *       "language": "python"
         *     }
         */
        SessionRequest: {
            /**
             * Format: double
             * @description Seconds without use after which it ends; at most as configured.
             */
            idle_timeout?: number | null;
            /** @description python, node, go, rust or bash. */
            language: string;
            /**
             * Format: int64
             * @description Memory of the VM, in MiB.
             */
            memory_mib?: number | null;
            /**
             * Format: double
             * @description Seconds after which it ends; at most as configured.
             */
            timeout?: number | null;
            /**
             * Format: int64
             * @description Virtual CPUs.
             */
            vcpus?: number | null;
        };
        /** @description A value that was shown. */
        ShownBody: {
            /** @description MIME type → data: text, or base64. */
            data: components["schemas"]["BTreeMap"];
            /** @description Shown by what a cell that is over left behind. */
            late: boolean;
            /** @description `display` or `result`. */
            shown: string;
        };
        /**
         * @description A signal to send.
         * @example {
         *       "signal": "SIGINT"
         *     }
         */
        SignalRequest: {
            /** @description Its name, with or without `SIG`, or its number. */
            signal: string;
            to?: null | components["schemas"]["To"];
        };
        /**
         * @description A terminal's size, in characters.
         * @example {
         *       "columns": 80,
         *       "rows": 24
         *     }
         */
        SizeBody: {
            /**
             * Format: int32
             * @description Characters a line.
             */
            columns: number;
            /**
             * Format: int32
             * @description Lines.
             */
            rows: number;
        };
        /** @description A snapshot that VMs are cloned from. */
        SnapshotBody: {
            /** @description When it was made. */
            created_at?: string | null;
            /**
             * Format: int64
             * @description What they take on disk, in bytes.
             */
            disk_bytes: number;
            /** @description Its name. */
            id: string;
            /** @description Whose interpreter is loaded. */
            language?: string | null;
            /**
             * Format: int32
             * @description RAM of the VM, in MiB.
             */
            memory_mib?: number | null;
            /**
             * Format: int64
             * @description Its files together, in bytes.
             */
            size_bytes: number;
            /** @description It passed its check. */
            usable: boolean;
            /**
             * Format: int32
             * @description Its virtual CPUs.
             */
            vcpus?: number | null;
        };
        /** @description One stage. */
        Stage: {
            /**
             * Format: int32
             * @description Its exit code; null when a signal ended it.
             */
            code?: number | null;
            /**
             * Format: int64
             * @description CPU time, in milliseconds.
             */
            cpu_time?: number | null;
            /**
             * Format: int64
             * @description The most memory it held, in bytes.
             */
            memory?: number | null;
            /** @description Why it did not end well. */
            message?: string | null;
            /** @description Both, in order. */
            output: string;
            /** @description The signal that ended it; null when it exited. */
            signal?: string | null;
            /** @description `RE` (exit code), `SG` (signal), `TO` (time), `OL` (output) or `XX`; null when it ended well. */
            status?: string | null;
            /** @description What it printed to standard error. */
            stderr: string;
            /** @description What it printed. */
            stdout: string;
            /**
             * Format: int64
             * @description Wall time, in milliseconds.
             */
            wall_time?: number | null;
        };
        /** @description The state of the service. */
        StatusBody: {
            /** @description `kvm`, `tcg` or, of User-Mode Linux, `none`. */
            accelerator: string;
            /** @description `qemu`, `firecracker` or `uml`. */
            engine: string;
            /** @description What stands around each VMM. */
            jail: string;
            /** @description Jobs now and lately that the key may see, newest first. */
            jobs: components["schemas"]["JobRow"][];
            /** @description How long jobs took lately. */
            latency: components["schemas"]["Latency"][];
            /** @description Jobs that may run at one time. */
            places: number;
            /** @description VMs that are kept ready. */
            pool: components["schemas"]["PoolRow"][];
            /** @description Jobs that may wait. */
            queue_bound: number;
            /** @description Jobs that run. */
            running: number;
            /** @description Sandboxes that the key may see, oldest first. */
            sandboxes: components["schemas"]["SandboxRow"][];
            /**
             * Format: int64
             * @description Sessions and sandboxes that hold a VM.
             */
            sessions: number;
            /**
             * Format: int64
             * @description Seconds since it started.
             */
            uptime_seconds: number;
            /** @description Its version. */
            version: string;
            /** @description Jobs that wait. */
            waiting: number;
        };
        /**
         * @description A process' standard input.
         * @enum {string}
         */
        StdinRequest: "empty" | "open";
        /** @description Wall times, in seconds. */
        TimingsBody: {
            /**
             * Format: double
             * @description Until the VM took the job.
             */
            boot: number;
            /**
             * Format: double
             * @description The compiler.
             */
            compile: number;
            /**
             * Format: double
             * @description The program.
             */
            execute: number;
            /** @description `pool`, `clone` or `boot`: which way the VM came. */
            path?: string | null;
            /**
             * Format: double
             * @description Waiting for a turn.
             */
            queue: number;
            /**
             * Format: double
             * @description All of it.
             */
            total: number;
            /** @description It ran in an interpreter that was loaded before it came. */
            zygote: boolean;
        };
        /**
         * @description Who gets a signal.
         * @enum {string}
         */
        To: "process" | "group" | "all";
        /** @description One thing that is told. */
        Told: components["schemas"]["ProcessBody"] | components["schemas"]["OutputBody"] | components["schemas"]["ExpiringBody"] | components["schemas"]["ExitBody"] | components["schemas"]["ProblemBody"];
        /** @description What a job used. */
        UsageBody: {
            /**
             * Format: double
             * @description CPU time of all its processes.
             */
            cpu_seconds: number;
            /**
             * Format: double
             * @description The most memory it held, in MiB.
             */
            memory_peak_mib: number;
        };
        /** @description What keys used. */
        UsageReport: {
            /** @description By key, sorted by name. */
            keys: components["schemas"]["KeyUsage"][];
            /** @description The first day (UTC) that counts. */
            since: string;
        };
        /** @description What was used. Numbers only grow. */
        UsageRow: {
            /**
             * Format: double
             * @description CPU seconds of jobs.
             * @default 0
             */
            cpu_seconds: number;
            /**
             * @description Jobs that ended, by status; programs of sessions are jobs.
             * @default {}
             */
            jobs: {
                [key: string]: number;
            };
            /**
             * Format: double
             * @description Memory of VMs times the seconds that they were held, of jobs, sessions and sandboxes, in GiB seconds.
             * @default 0
             */
            memory_gib_seconds: number;
            /**
             * Format: int64
             * @description Bytes that jobs printed and left as files, as far as they were answered.
             * @default 0
             */
            output_bytes: number;
            /**
             * @description Requests that were refused, by code.
             * @default {}
             */
            refusals: {
                [key: string]: number;
            };
            /**
             * Format: double
             * @description Seconds that these held their VMs.
             * @default 0
             */
            sandbox_seconds: number;
            /**
             * Format: int64
             * @description Sessions and sandboxes that were given a place, to begin or to go on after a pause.
             * @default 0
             */
            sandboxes: number;
            /**
             * Format: double
             * @description Seconds that jobs had their VMs, starts included.
             * @default 0
             */
            wall_seconds: number;
        };
        /**
         * @description As whom a process runs.
         * @enum {string}
         */
        UserBody: "sandbox" | "root";
        /** @description What is told of a folder. */
        WatchBody: {
            /**
             * Format: int32
             * @description Folders that are watched now.
             */
            folders: number;
        } | {
            /** @description The old one. */
            from: string;
            /** @description The new one. */
            path: string;
        } | {
            /** @description Its path. */
            path: string;
        } | {
            /** @description `events` or `folders`. */
            of: string;
        } | Record<string, never> | components["schemas"]["ProblemBody"];
        /** @description What is told. */
        What: components["schemas"]["PrintedBody"] | components["schemas"]["ShownBody"] | components["schemas"]["CellErrorBody"] | components["schemas"]["CellEndBody"] | components["schemas"]["LostBody"] | components["schemas"]["PlainBody"];
        /** @description A key, without its secret. */
        WhoamiBody: {
            /** @description Its public part; `local` without keys. */
            id: string;
            /** @description How much of it. */
            limits: components["schemas"]["LimitsBody"];
            /** @description What it is called. */
            name: string;
            /** @description There are no keys: everybody on this machine may do everything. */
            open: boolean;
            /** @description `run`, `observe`, `admin`. */
            scopes: string[];
        };
        /** @description A file that was written. */
        WrittenBody: {
            /** @description Its path. */
            path: string;
            /**
             * Format: int64
             * @description In bytes.
             */
            size: number;
        };
        /** Format: int32 */
        u32: number;
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
