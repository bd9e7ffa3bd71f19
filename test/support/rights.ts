/** The rights of a token that submits and follows jobs, as docs/security.md shows them. */
export const JOB_SCOPE = "exec attach write kill wait list rpc stream events hosts";

export const JOB_DETAILS = [
  {
    type: "flux_subprocess",
    actions: ["exec", "attach", "write", "kill", "wait", "list", "events", "hosts"],
  },
  {
    type: "flux_subprocess",
    actions: ["rpc", "stream"],
    topics: [
      "attr.*",
      "event.publish",
      "job-info.*",
      "job-ingest.submit",
      "job-list.*",
      "job-manager.*",
      "kvs-watch.*",
      "resource.*",
      "log.dmesg",
    ],
  },
];
