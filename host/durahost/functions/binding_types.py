"""The binding types the host knows.

Written out, because the host imports no library of the app's. A type that is not here is the real
host's "not registered" error.
Sources: Azure/azure-functions-python-library: decorators/constants.py (1.26), durable_functions.py;
Azure/azure-functions-durable-extension: OrchestrationClientAttribute.cs (the old client name).
"""

_TRIGGERS = """
    activityTrigger assistantSkillTrigger blobTrigger connectorTrigger cosmosDBTrigger
    daprBindingTrigger daprServiceInvocationTrigger daprTopicTrigger entityTrigger eventGridTrigger
    eventHubTrigger httpTrigger kafkaTrigger mcpPromptTrigger mcpResourceTrigger mcpToolTrigger
    mysqlTrigger orchestrationTrigger queueTrigger serviceBusTrigger sqlTrigger timerTrigger
    warmupTrigger
"""
_OTHERS = """
    assistantCreate assistantPost assistantQuery blob cosmosDB daprBinding daprInvoke daprPublish
    daprSecret daprState durableClient embeddings embeddingsStore eventGrid eventHub http kafka
    mysql orchestrationClient queue semanticSearch serviceBus sql table textCompletion
"""

KNOWN_TYPES = frozenset(name.lower() for name in (_TRIGGERS + _OTHERS).split())
"""Lower case; types compare without case."""
