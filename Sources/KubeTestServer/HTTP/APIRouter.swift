/// Turns requests into answers: authentication, rights, then the resource.
struct APIRouter: Sendable {
    let store: ClusterStore
    let identities: Identities
    /// The time as objects carry it.
    let now: @Sendable () -> String

    /// Who is who.
    struct Identities: Sendable {
        var tokens: [String: APIUser]
        var certificates: [String: APIUser]
        /// Whether the server has read all paths.
        var isStarting = false
        /// Whether /readyz is ok.
        var isReady = true
    }

    func answer(_ request: APIRequest) -> APIAnswer {
        do throws(APIStatus) { return try route(request) } catch { return .status(error) }
    }

    private func user(_ request: APIRequest) throws(APIStatus) -> APIUser {
        switch request.certificate {
        case .user(let name):
            if let user = identities.certificates[name] { return user }
            throw .unauthorized
        case .unknown: throw .unauthorized
        case nil: break
        }
        guard let header = request.headers["authorization"] else { return .anonymous }
        guard header.hasPrefix("Bearer "), let user = identities.tokens[String(header.dropFirst(7))] else {
            throw .unauthorized
        }
        return user
    }

    private func route(_ request: APIRequest) throws(APIStatus) -> APIAnswer {
        let user = try user(request)
        let target = APITarget(path: request.path)
        guard case .resource(let group, let version, let name, let namespace, let object, let subresource) = target
        else { return try other(request, user) }
        let query = request.query
        let verb = try APIRouter.verb(request.method, query, isObject: object != nil)
        let qualified = (group.isEmpty ? name : "\(name).\(group)") + (subresource.map { "/\($0)" } ?? "")
        let refusal = { (why: String?) in
            APIStatus.forbidden(
                user: user.name, verb: verb, group: group,
                resource: subresource.map { "\(name)/\($0)" } ?? name, namespace: namespace, name: object, why: why)
        }
        guard user.may(verb, qualified) else { throw refusal(nil) }
        if identities.isStarting, !APIResource.builtIns.contains(where: { $0.group == group && $0.version == version })
        {
            throw .starting
        }
        let id = ClusterState.ResourceID(group: group, version: version, name: name)
        let resource = try store.withState { state throws(APIStatus) in try state.resource(id) }
        if let subresource, subresource != "status" {
            throw request.method == "PUT" ? .methodNotAllowed : .noResource
        }
        if verb == "list" || verb == "watch" {
            let options = try ListOptions(query, resource: resource)
            if user.mustSelectNode, resource.kind == "Pod", options.fields?.requires("spec.nodeName") != true {
                throw refusal("can only list/watch pods with spec.nodeName field selector")
            }
            if options.isWatch { return .watch(resource, namespace: namespace, options) }
            return try list(resource, namespace, options, request)
        }
        if verb == "get" { return try get(resource, namespace, object ?? "", subresource, request) }
        return try write(resource, namespace, object, subresource, request, query)
    }

    private static func verb(
        _ method: String, _ query: [String: String], isObject: Bool
    ) throws(APIStatus) -> String {
        switch method {
        case "GET" where isObject: return "get"
        case "GET": return ["1", "true", "True"].contains(query["watch"]) ? "watch" : "list"
        case "POST" where !isObject: return "create"
        case "PUT" where isObject: return "update"
        case "PATCH" where isObject: return "patch"
        case "DELETE": return isObject ? "delete" : "deletecollection"
        default: throw .methodNotAllowed
        }
    }

    private func list(
        _ resource: APIResource, _ namespace: String?, _ options: ListOptions, _ request: APIRequest
    ) throws(APIStatus) -> APIAnswer {
        let isPartial = try APIRouter.wantsPartial(request)
        let page: ClusterState.Page
        do throws(APIStatus) {
            page = try store.withState { state throws(APIStatus) in
                try state.list(resource, namespace: namespace, options)
            }
        } catch {
            if error.code == 504 { return .late(error) }
            throw error
        }
        if isPartial { return .json(PartialMetadata.list(page)) }
        var pieces: [[UInt8]] = []
        var piece: [UInt8] = []
        let next = page.continueToken.map { #","continue":"\#($0)""# } ?? ""
        let remaining = page.remaining.map { #","remainingItemCount":\#($0)"# } ?? ""
        if resource.isCustom {
            piece = Array(#"{"apiVersion":"\#(resource.apiVersion)","items":["#.utf8)
        } else {
            piece = Array(
                #"{"kind":"\#(resource.kind)List","apiVersion":"\#(resource.apiVersion)","metadata":{"resourceVersion":"\#(page.version)"\#(next)\#(remaining)},"items":["#
                    .utf8)
        }
        for (index, object) in page.objects.enumerated() {
            if index > 0 { piece.append(UInt8(ascii: ",")) }
            object.writeItem(to: &piece)
            if piece.count >= 1 << 16 {
                pieces.append(piece)
                piece = []
            }
        }
        if resource.isCustom {
            let token = #""continue":"\#(page.continueToken ?? "")""#
            let count = page.remaining.map { #","remainingItemCount":\#($0)"# } ?? ""
            piece +=
                #"],"kind":"\#(resource.kind)List","metadata":{\#(token)\#(count),"resourceVersion":"\#(page.version)"}}"#
                .utf8
        } else {
            piece += "]}".utf8
        }
        pieces.append(piece + [UInt8(ascii: "\n")])
        return .whole(code: 200, contentType: "application/json", headers: [], pieces: pieces)
    }

    /// Whether the client asks for metadata alone; throws 406 when it wants nothing that this server writes.
    private static func wantsPartial(_ request: APIRequest) throws(APIStatus) -> Bool {
        let accept = request.headers["accept"] ?? "*/*"
        if accept.contains("as=PartialObjectMetadata") { return true }
        guard accept.isEmpty || accept.contains("application/json") || accept.contains("*/*") else {
            throw APIStatus(
                406, "NotAcceptable",
                "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
                details: .object([]))
        }
        return false
    }

    private func get(
        _ resource: APIResource, _ namespace: String?, _ name: String, _ subresource: String?, _ request: APIRequest
    ) throws(APIStatus) -> APIAnswer {
        if subresource != nil, resource.statusFields == nil { throw .noResource }
        let key = StoredObject.Key(namespace: namespace ?? "", name: name)
        let object = store.with { $0.object(resource, key) }
        guard let object else { throw .notFound(resource, name) }
        return .json(object.bytes)
    }

    private func write(
        _ resource: APIResource, _ namespace: String?, _ object: String?, _ subresource: String?, _ request: APIRequest,
        _ query: [String: String]
    ) throws(APIStatus) -> APIAnswer {
        if request.body.count > 3 << 20 {
            throw APIStatus(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728")
        }
        var write = ClusterState.Write(resource: resource, namespace: namespace, name: object, now: now())
        write.subresource = subresource
        write.manager = query["fieldManager"].flatMap { $0.isEmpty ? nil : $0 }
        write.force = ["1", "true"].contains(query["force"])
        write.contentType = request.headers["content-type"] ?? "application/json"
        if request.method == "DELETE" {
            guard let object else { throw .methodNotAllowed }
            return try delete(resource, StoredObject.Key(namespace: namespace ?? "", name: object))
        }
        guard let body = JSONValue(parsing: request.body, file: "body.yaml"), body.members != nil else {
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(resource.kind)): couldn't get version/kind; json parse error"
            )
        }
        let request = request
        let final = write
        let written = try store.withState { state throws(APIStatus) in
            switch request.method {
            case "POST": try state.create(body, final)
            case "PUT": try state.replace(body, final)
            default: try state.patch(body, final)
            }
        }
        return .json(
            written.object.bytes, code: request.method == "POST" ? 201 : 200,
            headers: written.warnings.map { ("Warning", "299 - \"\(APIRouter.quoted($0))\"") })
    }

    private static func quoted(_ text: String) -> String {
        text.map { $0 == "\"" ? "\\\"" : String($0) }.joined()
    }

    private func delete(_ resource: APIResource, _ key: StoredObject.Key) throws(APIStatus) -> APIAnswer {
        let old = try store.withState { state throws(APIStatus) in try state.delete(resource, key) }
        // Pods, services and namespaces are answered by the object, the others by a Status.
        if ["Pod", "Service"].contains(resource.kind) { return .json(old.bytes) }
        var details: JSONValue = ["name": .string(key.name)]
        if !resource.group.isEmpty { details["group"] = .string(resource.group) }
        details["kind"] = .string(resource.name)
        details["uid"] = old.value["metadata"]?["uid"]
        return .json(
            (["kind": "Status", "apiVersion": "v1", "metadata": .object([]), "status": "Success", "details": details]
                as JSONValue).bytes)
    }

    // MARK: - Health and discovery

    private func other(_ request: APIRequest, _ user: APIUser) throws(APIStatus) -> APIAnswer {
        let path = request.path.hasSuffix("/") ? String(request.path.dropLast()) : request.path
        switch path {
        case "/healthz", "/livez": return APIRouter.health(isOK: true)
        case "/readyz": return APIRouter.health(isOK: identities.isReady && !identities.isStarting)
        case "/version":
            return .json(
                (["major": "1", "minor": "36", "gitVersion": "v1.36.2", "platform": "linux/amd64"] as JSONValue).bytes)
        default: break
        }
        guard user.name != APIUser.anonymous.name else {
            throw APIStatus(
                403, "Forbidden",
                "forbidden: User \"\(user.name)\" cannot \(request.method.lowercased()) path \"\(path)\"",
                details: .object([]), hasNoSniff: true)
        }
        let served = store.with { $0.served }
        guard let answer = Discovery.answer(path, served) else { throw .pageNotFound }
        return .json(answer.bytes)
    }

    private static func health(isOK: Bool) -> APIAnswer {
        .whole(
            code: isOK ? 200 : 500, contentType: "text/plain; charset=utf-8",
            headers: [("X-Content-Type-Options", "nosniff")],
            pieces: [
                Array((isOK ? "ok" : "[-]poststarthook/start failed: reason withheld\nreadyz check failed\n").utf8)
            ])
    }
}
