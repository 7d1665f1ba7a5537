//! The protocol's requests, for one key. All revisions that the library knows are spoken.

use super::call::Call;
use super::offer::Offer;
use super::tools::{ToolName, definitions};
use super::uri::{FileUri, SCHEME};
use super::{refusal, resource};
use crate::app::App;
use crate::keys::Principal;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, Implementation, ListResourceTemplatesResult,
    ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
    ResourceTemplate, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::json;
use std::sync::Arc;

/// This server, as one key sees it.
#[derive(Clone)]
pub struct McpServer {
    app: Arc<App>,
    who: Arc<Principal>,
    offer: Arc<Offer>,
}

impl McpServer {
    /// For this key.
    pub async fn new(app: Arc<App>, who: Arc<Principal>) -> McpServer {
        let offer = Offer::of(&app).await;
        McpServer { app, who, offer }
    }

    /// Resolves when nobody waits for this request any more, or all end.
    async fn cancelled(&self, context: &RequestContext<RoleServer>) -> ErrorData {
        tokio::select! {
            () = context.ct.cancelled() => {}
            () = self.app.mcp.stop.cancelled() => {}
        }
        ErrorData::internal_error("the call was cancelled", None)
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            // There are none. Clients ask all the same, and show an error where they get one.
            .enable_prompts()
            .build();
        let version = env!("CARGO_PKG_VERSION");
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("llm-firecracker", version))
            .with_instructions(self.offer.instructions())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(definitions(&self.offer)))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        ToolName::parse(name).map(|tool| tool.definition(&self.offer))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = ToolName::parse(&request.name).ok_or_else(|| {
            let message = format!("there is no tool {:?}", request.name);
            ErrorData::invalid_params(message, None)
        })?;
        let _under_way = self.app.mcp.calls.token();
        let call = Call::new(&self.app, &self.who, &context);
        let done = tokio::select! {
            // Dropped, a program ends with its VM, and one in a session is interrupted.
            done = tool.call(&call, request.arguments) => done,
            cancelled = self.cancelled(&context) => return Err(cancelled),
        };
        let result = done.unwrap_or_else(|problem| {
            refusal::note(&self.app, &self.who, &problem);
            refusal::result(&problem)
        });
        Ok(result.into())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = ResourceTemplate::new(format!("{SCHEME}{{id}}/{{+path}}"), "file")
            .with_description("A file of a session, or one that a run left, as results name it.");
        Ok(ListResourceTemplatesResult::with_all_items(vec![template]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let call = Call::new(&self.app, &self.who, &context);
        let not_found = |message: String| {
            let data = json!({ "uri": request.uri });
            ErrorData::resource_not_found(message, Some(data))
        };
        let uri = FileUri::parse(&request.uri);
        let uri = uri.ok_or_else(|| not_found(format!("resources begin with {SCHEME}")))?;
        let read = tokio::select! {
            read = resource::read(&call, &uri) => read,
            cancelled = self.cancelled(&context) => return Err(cancelled),
        };
        let contents = read.map_err(|problem| {
            refusal::note(&self.app, &self.who, &problem);
            not_found(problem.detail)
        })?;
        Ok(contents.into())
    }
}
