// Node-RED as it would run in production: without its editor, nothing logged below an error,
// nothing sent home, no modules fetched.
module.exports = {
    flowFile: "flow.json",
    uiHost: "127.0.0.1",
    httpAdminRoot: false,
    credentialSecret: false,
    logging: { console: { level: "error", metrics: false, audit: false } },
    telemetry: { enabled: false, updateNotification: false },
    diagnostics: { enabled: false, ui: false },
    functionExternalModules: false,
    externalModules: {
        autoInstall: false,
        palette: { allowInstall: false },
        modules: { allowInstall: false },
    },
};
