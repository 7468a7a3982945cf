// SPDX-License-Identifier: Apache-2.0
//
// Drives Oracle's SDK for oracle_sdk.py: reads one JSON object a line, makes
// that call with the SDK's own client, answers with one line.
//
//   node sdk_driver.js '{"auth": {"kind": "api_key", ...}, "urls": {...}}'
//   {"client": "artifacts", "operation": "getContainerImage", "request": {...}}
//   -> {"response": {...}} or {"error": {"status", "code", "message"}}
"use strict";

const readline = require("readline");
const common = require("oci-common");

// The SDK talks to the console; the answers have standard output alone.
console.log = console.warn = console.error;

async function instance(auth) {
    const builder =
        new common.InstancePrincipalsAuthenticationDetailsProviderBuilder();
    builder.metadataBaseUrl = auth.metadata;
    builder.federationEndpoint = auth.federation;
    return builder.build();
}

// A machine that signs, with a token that speaks for a user.
async function delegated(auth) {
    const signer = await instance(auth);
    return {
        getAuthType: () => "instance_principal",
        getDelegationToken: () => auth.token,
        getProvider: () => signer,
        getPassphrase: () => null,
        getPrivateKey: () => signer.getPrivateKey(),
        getKeyId: () => signer.getKeyId(),
    };
}

const PROVIDERS = {
    api_key: (auth) => new common.ConfigFileAuthenticationDetailsProvider(
        auth.config, auth.profile),
    session: (auth) => new common.SessionAuthDetailProvider(
        auth.config, auth.profile),
    instance: instance,
    delegated: delegated,
    resource: () =>
        common.ResourcePrincipalAuthenticationDetailsProvider.builder(),
    workload: (auth) =>
        common.OkeWorkloadIdentityAuthenticationDetailsProvider.builder(
            auth.ca, auth.token),
};

const CLIENTS = {
    identity: () => require("oci-identity").IdentityClient,
    artifacts: () => require("oci-artifacts").ArtifactsClient,
    registry: () => require("oci-containerregistry").ContainerRegistryClient,
};

async function makeClients(options) {
    const provider = await PROVIDERS[options.auth.kind](options.auth);
    const clients = {provider};
    for (const [name, load] of Object.entries(CLIENTS)) {
        if (!options.urls[name])
            continue;
        clients[name] = new (load())({authenticationDetailsProvider: provider});
        clients[name].endpoint = options.urls[name];
    }
    return clients;
}

function describe(error) {
    return {
        status: error.statusCode || 0,
        code: String(error.serviceCode || error.code || ""),
        message: String(error.message || error),
        request_id: error.opcRequestId || "",
    };
}

async function call(clients, line) {
    const {client, operation, request} = JSON.parse(line);
    try {
        const value = await clients[client][operation](request);
        return {response: value === undefined ? null : value};
    } catch (error) {
        return {error: describe(error)};
    }
}

async function main() {
    const say = (value) =>
        process.stdout.write(JSON.stringify(value) + "\n");
    let clients;
    try {
        clients = await makeClients(JSON.parse(process.argv[2]));
    } catch (error) {
        say({error: describe(error)});
        process.exit(1);
    }
    say({ready: true});
    for await (const line of readline.createInterface({input: process.stdin}))
        say(await call(clients, line));
    // Circuit breakers of the SDK would keep the process for minutes.
    process.exit(0);
}

main();
